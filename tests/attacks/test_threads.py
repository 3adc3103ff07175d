from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from vestige.attacks.score import score
from vestige.attacks.student_t import StudentT
from vestige.attacks.threads import single


def counts() -> list[int]:
    return [found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"]


@dataclass(frozen=True, kw_only=True)
class Watched(StudentT):
    seen: list[int] = field(default_factory=list, compare=False)

    def score(self, view):
        self.seen.extend(counts())
        return super().score(view)


def test_matrix_products_take_one_thread_inside_and_as_many_as_before_behind_it():
    with threadpool_limits(2, user_api="blas"):
        before = counts()
        assert max(before) == 2
        with single():
            assert set(counts()) == {1}
        assert counts() == before


def test_attacks_score_with_one_thread():
    random = np.random.default_rng(0)
    attack = Watched()
    with threadpool_limits(2, user_api="blas"):
        score(
            random.normal(size=(8, 40)),
            random.random((8, 40)) < 0.5,
            attack,
            targets=[0],
            design="independent",
        )
    assert set(attack.seen) == {1}
