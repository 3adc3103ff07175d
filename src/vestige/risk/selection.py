"""Which defenses pay: the front of use against leakage, and the best of each mechanism within a budget."""

from collections.abc import Sequence
from dataclasses import dataclass

from vestige.core import check


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A defense as written, its mechanism, and what it costs and leaks.

    accuracy: on non-members, 0 to 1; higher = more useful. leakage: any figure; lower = less leaked.
    """

    name: str
    mechanism: str
    accuracy: float
    leakage: float


def front(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """The names that no other candidate beats, by falling accuracy (the Pareto front).

    One beats another if it is at least as accurate and leaks no more, and is better in one of the two.
    """
    kept = [c for c in candidates if not any(_beats(other, c) for other in candidates)]
    return tuple(c.name for c in sorted(kept, key=lambda c: (-c.accuracy, c.leakage)))


def winners(
    candidates: Sequence[Candidate], baseline_accuracy: float, drop: float
) -> dict[str, Candidate | None]:
    """Per mechanism the candidate that leaks least among those whose accuracy is above (1 - drop) times the
    baseline's (Kaya, Hong and Dumitras 2020); None where none is.

    Raises InputError unless 0 <= drop < 1.
    """
    check.within("drop", drop, 0.0, 0.99)
    found: dict[str, Candidate | None] = {}
    for candidate in candidates:
        best = found.setdefault(candidate.mechanism, None)
        useful = candidate.accuracy > (1 - drop) * baseline_accuracy
        if useful and (best is None or candidate.leakage < best.leakage):
            found[candidate.mechanism] = candidate
    return found


def _beats(one: Candidate, other: Candidate) -> bool:
    at_least = one.accuracy >= other.accuracy and one.leakage <= other.leakage
    return at_least and (one.accuracy > other.accuracy or one.leakage < other.leakage)
