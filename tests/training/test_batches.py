import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vestige.training import batches
from vestige.training.feed import packed
from vestige.training.lessons import Lesson


@given(st.integers(1, 300), st.integers(1, 40))
def test_batches_cover_every_member_once_and_none_is_single(members, size):
    spans = batches.bounds(members, size)
    assert [i for start, stop in spans for i in range(start, stop)] == list(range(members))
    if size > 1 and members > 1:
        assert all(stop - start > 1 for start, stop in spans)


def test_orders_are_permutations_that_depend_on_seed_model_and_epoch():
    members = np.arange(50, 90)
    orders = [tuple(batches.order(s, m, e, members)) for s in (0, 1) for m in (0, 1) for e in (0, 1)]
    assert len(set(orders)) == 8
    assert all(sorted(order) == members.tolist() for order in orders)
    assert orders[0] == tuple(batches.order(0, 0, 0, members))


@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(1, 17))
def test_packed_batches_hold_each_models_own_batches(lengths, size):
    lengths = sorted(lengths, reverse=True)
    orders = [np.arange(n) + 100 * k for k, n in enumerate(lengths)]
    seen = [[] for _ in orders]
    for (chosen, labels), sizes in packed([Lesson((order,), (order + 1,)) for order in orders], size):
        for k, (row, true_size) in enumerate(zip(chosen, sizes, strict=True)):
            seen[k].append(row[:true_size].tolist())
            assert (labels[k, :true_size] == row[:true_size] + 1).all()
            assert not chosen[k, true_size:].any()
    for k, order in enumerate(orders):
        assert seen[k] == [order[a:b].tolist() for a, b in batches.bounds(len(order), size)]
