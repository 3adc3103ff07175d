"""The attacker who knows some members and some non-members, and is judged on all others."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, Integer

from vestige.core import check, seeds
from vestige.core.errors import InputError
from vestige.risk.estimate import Estimate
from vestige.risk.target_mean import target_mean
from vestige.stats.roc import roc

CANDIDATES = ("observed", "grid")
GRID = np.linspace(-5.0, 5.0, 1001)  # deviations from the mean, as released by Kaya and Dumitras 2021

Scored = Float64[np.ndarray, "_scored"]
Places = Int64[np.ndarray, "_places"]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How many samples an attacker knows and is judged on (Kaya and Dumitras 2021: 100 + 100, 5,000 + 5,000).

    known, evaluated: at most so many members and as many non-members. Where there are fewer than twice the
    known, half of what is there is known. draws: how often both are drawn anew.
    candidates: thresholds of the powerful attack, all "observed" scores or the released "grid".
    """

    known: int = 100
    evaluated: int = 5000
    draws: int = 5
    candidates: str = "observed"

    def __post_init__(self) -> None:
        for name in ("known", "evaluated", "draws"):
            check.at_least(name, getattr(self, name), 1)
        check.one_of("candidates", self.candidates, CANDIDATES)


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownAdvantage:
    """The advantage TPR - FPR of one rule, a fraction, -1 to 1.

    draws: [targets draws]. values: [targets], their mean. estimate: the mean over targets with its interval.
    """

    rule: str
    draws: Float64[np.ndarray, "targets draws"]
    estimate: Estimate

    @property
    def values(self) -> Float64[np.ndarray, "targets"]:
        """The advantage against each target, the mean of its draws."""
        return self.draws.mean(1)


@dataclass(frozen=True, kw_only=True, eq=False)
class KnownMembers:
    """What an attacker gains who knows some of the samples.

    average: member where the score exceeds the mean of the known members' (Yeom et al. 2018).
    powerful: member from the threshold that is best on the known samples.
    known: [targets], how many members, and as many non-members, were known. note: "" or what was scaled down.
    """

    average: KnownAdvantage
    powerful: KnownAdvantage
    known: Int64[np.ndarray, "targets"]
    note: str


def known_members(
    scores: Float[np.ndarray, "targets samples"],
    member: Bool[np.ndarray, "targets samples"],
    clusters: Integer[np.ndarray, "targets"],
    protocol: Protocol | None = None,
    *,
    seed: int = 0,
) -> KnownMembers:
    """The advantage of the average and of the powerful attack against each target, on samples not known.

    scores: higher = more likely a member, such as minus the loss or minus the distance-to-confident; NaN is
    left out. Scores of two kinds that leave out the same samples meet the same draws under the same seed, so
    their advantages can be compared draw by draw.

    Raises InputError for a target with fewer than 2 members or non-members that have a score.
    """
    protocol = protocol or Protocol()
    values = np.asarray(scores, np.float64)
    sides = [_sides(row, coin, t) for t, (row, coin) in enumerate(zip(values, member, strict=True))]
    known = np.array([_number_known(both, protocol.known) for both in sides])
    gained = np.array(
        [
            [
                _gained(values[t], draw(*sides[t], int(known[t]), protocol.evaluated, (seed, t, d)), protocol)
                for d in range(protocol.draws)
            ]
            for t in range(len(values))
        ]
    )
    average, powerful = (
        _advantage(rule, gained[:, :, place], clusters, seed)
        for place, rule in enumerate(("average", "powerful"))
    )
    return KnownMembers(average=average, powerful=powerful, known=known, note=_note(known, protocol.known))


@dataclass(frozen=True, eq=False)
class Draw:
    """Positions of the samples that an attacker knows, and of the others, on which the attacker is judged."""

    known_members: Places
    known_others: Places
    members: Places
    others: Places


def draw(members: Places, others: Places, known: int, evaluated: int, stream: tuple[int, int, int]) -> Draw:
    """Known and evaluated samples, disjoint, at random from members and non-members.

    stream: seed, target and number of the draw.
    """
    seed, target, number = stream
    random = seeds.generator(seed, "known members", target, number)
    first, second = random.permutation(members), random.permutation(others)
    rest = slice(known, known + evaluated)
    return Draw(first[:known], second[:known], first[rest], second[rest])


def average_threshold(known_members: Scored) -> float:
    """The lowest score above the known members' mean (Yeom et al. 2018: a loss below their mean loss)."""
    return float(np.nextafter(known_members.mean(), np.inf))


def powerful_threshold(known_members: Scored, known_others: Scored, candidates: str = "observed") -> float:
    """The threshold with the largest advantage on the known samples; of equals the one naming fewest.

    candidates: all "observed" scores, or the "grid" of the members' mean less c deviations, c from -5 to 5.
    """
    if candidates == "observed":
        scores = np.concatenate([known_members, known_others])
        found = roc(scores, np.arange(len(scores)) < len(known_members))
        return float(found.thresholds[_first_best(found.tpr - found.fpr)])
    grid = np.nextafter(known_members.mean() - GRID * known_members.std(), np.inf)
    return float(grid[_first_best(_share_from(grid, known_members) - _share_from(grid, known_others))])


def _share_from(thresholds: Scored, scores: Float64[np.ndarray, "_"]) -> Scored:
    """The share of the scores that reach each threshold."""
    return 1 - np.searchsorted(np.sort(scores), thresholds, side="left") / len(scores)


def _first_best(advantages: Scored) -> int:
    return int(np.argmax(np.round(advantages, 12)))  # equal advantages may differ in the last bit


def advantage_at(threshold: float, members: Scored, others: Scored) -> float:
    """TPR - FPR of the rule "member where score >= threshold"; twice its balanced accuracy less 1."""
    return float((members >= threshold).mean() - (others >= threshold).mean())


def _gained(scores: Scored, drawn: Draw, protocol: Protocol) -> tuple[float, float]:
    """The advantage of the average and of the powerful attack in one draw."""
    known = scores[drawn.known_members], scores[drawn.known_others]
    judged = scores[drawn.members], scores[drawn.others]
    return (
        advantage_at(average_threshold(known[0]), *judged),
        advantage_at(powerful_threshold(*known, protocol.candidates), *judged),
    )


def _sides(scores: Scored, coin: Bool[np.ndarray, "_scored"], target: int) -> tuple[Places, Places]:
    scored = ~np.isnan(scores)
    members, others = np.flatnonzero(coin & scored), np.flatnonzero(~coin & scored)
    if min(len(members), len(others)) < 2:
        raise InputError(
            f"target {target} has {len(members)} members and {len(others)} non-members with a score; the "
            "attacker needs 2 of each, one to know and one to be judged on"
        )
    return members, others


def _number_known(sides: tuple[Places, Places], asked: int) -> int:
    return min(asked, *(len(side) // 2 for side in sides))


def _advantage(
    rule: str, draws: Float64[np.ndarray, "targets draws"], clusters: np.ndarray, seed: int
) -> KnownAdvantage:
    method = f"thresholds from known samples, mean of {draws.shape[1]} draws"
    estimate = target_mean(draws.mean(1), clusters, method, seed=seed, least=-1.0)
    return KnownAdvantage(rule=rule, draws=draws, estimate=estimate)


def _note(known: Int64[np.ndarray, "targets"], asked: int) -> str:
    if (known == asked).all():
        return ""
    fewest, most = int(known.min()), int(known.max())
    number = str(fewest) if fewest == most else f"{fewest} to {most}"
    return (
        f"The attacker knows {number} members and as many non-members of a target, half of what is there, "
        f"in place of {asked}."
    )
