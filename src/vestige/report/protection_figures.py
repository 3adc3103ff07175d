"""What was measured of a defense, and how it is drawn: use against leakage, and ranks of losses."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from vestige.report.figure import Axis, Figure, Grid, Line, Mark, Points, Table
from vestige.risk.estimate import Estimate
from vestige.risk.selection import Candidate, front

Key = tuple[str, str]  # attack, metric
INVERTED: Key = ("loss-inversion", "advantage")
INVERTED_ESTIMATED: Key = ("loss-inversion-estimated", "advantage")
TEST_ACCURACY: Key = ("utility", "test_accuracy")
AVERAGE, POWERFUL = ("loss-average", "advantage"), ("loss-powerful", "advantage")
ADAPTIVE: Key = ("loss-adaptive", "advantage")
LABEL_ONLY: Key = ("label-only", "advantage")
ROUTED = re.compile(r"pptp:(?:defense=)?([^/,+]+)[^+]*")

LONGEST = 40  # letters of an upright name that the figure has room for


@dataclass(frozen=True, kw_only=True)
class ProtectionRow:
    """One defense as written: its mechanism, what was measured over seeds, and what to know about it.

    estimates: by (attack, metric). notes: statements of its own, such as what it spent of epsilon.
    failure: why it could not be measured; empty if it was.
    """

    name: str
    mechanism: str
    estimates: Mapping[Key, Estimate]
    notes: tuple[str, ...] = ()
    failure: str = ""

    def value(self, key: Key) -> float:
        """The value of an estimate; NaN where there is none."""
        found = self.estimates.get(key)
        return np.nan if found is None or found.value is None else found.value

    @property
    def leakage(self) -> float:
        """The largest advantage of those who know some members: by loss, adapted or undone, or labels."""
        keys = (AVERAGE, POWERFUL, ADAPTIVE, LABEL_ONLY, INVERTED, INVERTED_ESTIMATED)
        return float(np.nanmax([*(self.value(key) for key in keys), -1.0]))


@dataclass(frozen=True, kw_only=True, eq=False)
class LossRanks:
    """Mean rank correlations of losses between the models of two defenses, on common members."""

    names: tuple[str, ...]
    values: Float[np.ndarray, "defenses defenses"]

    @property
    def table(self) -> pd.DataFrame:
        """defense, other, correlation; each pair in both orders, and each defense with itself."""
        size = len(self.names)
        return pd.DataFrame(
            {
                "defense": np.repeat(self.names, size),
                "other": np.tile(self.names, size),
                "correlation": np.asarray(self.values, np.float64).ravel(),
            }
        )


def front_figure(rows: Sequence[ProtectionRow], key: Key, title: str) -> Figure:
    """Accuracy against a figure of leakage, a point per defense, those that no other beats joined.

    A line goes from each defense to itself in some regions only.
    """
    shown = [row for row in rows if np.isfinite(row.value(key)) and np.isfinite(row.value(TEST_ACCURACY))]
    candidates = [
        Candidate(name=r.name, mechanism="", accuracy=r.value(TEST_ACCURACY), leakage=r.value(key))
        for r in shown
    ]
    names = front(candidates)
    by_name = {row.name: row for row in shown}
    on_front = [by_name[name] for name in names]
    others = [row for row in shown if row.name not in names]
    marks: list[Mark] = [_points("not beaten", on_front, key, "accent", joined=True)]
    if others:
        marks.append(_points("beaten by another", others, key, "muted", joined=False))
    steps = _steps(by_name, key)
    limited = " A line joins a defense everywhere with the same in some regions only." if steps else ""
    return Figure(
        key=f"front-{key[0]}-{key[1].replace('@', '-at-')}",
        title=f"{title} against accuracy",
        caption=f"Each point is a defense, with its intervals along both axes.{limited}",
        alt=f"Not beaten, by falling accuracy: {', '.join(names)}.",
        x=Axis(title="Accuracy on non-members", percent=True),
        y=Axis(title=title, low=min(0.0, *(row.value(key) for row in shown)) if shown else 0.0),
        marks=(*steps, *marks),
        table=Table(
            header=("defense", "test_accuracy", "leakage", "on_front"),
            rows=tuple(
                (r.name, r.value(TEST_ACCURACY), r.value(key), "yes" if r.name in names else "no")
                for r in shown
            ),
        ),
        height=460,
    )


def everywhere(name: str) -> str:
    """The defense as written where pptp limits it to regions; the name itself without pptp."""
    return ROUTED.sub(lambda found: found[1].replace(";", "/"), name)


def _steps(rows: Mapping[str, ProtectionRow], key: Key) -> tuple[Line, ...]:
    """A line for each defense in some regions only whose plain form is among the rows."""
    pairs = [(rows.get(everywhere(name)), row) for name, row in rows.items() if everywhere(name) != name]
    ends = [(plain, routed) for plain, routed in pairs if plain is not None]
    return tuple(
        Line(
            name="in some regions only",
            x=np.array([row.value(TEST_ACCURACY) for row in pair]),
            y=np.array([row.value(key) for row in pair]),
            color="amber",
            listed=place == 0,
        )
        for place, pair in enumerate(ends)
    )


def _points(name: str, rows: Sequence[ProtectionRow], key: Key, color: str, *, joined: bool) -> Points:
    return Points(
        name=name,
        labels=tuple(row.name for row in rows),
        x=_column(rows, TEST_ACCURACY, "value"),
        y=_column(rows, key, "value"),
        x_low=_column(rows, TEST_ACCURACY, "low"),
        x_high=_column(rows, TEST_ACCURACY, "high"),
        y_low=_column(rows, key, "low"),
        y_high=_column(rows, key, "high"),
        color=color,
        joined=joined,
        named=joined,
    )


def _column(rows: Sequence[ProtectionRow], key: Key, end: str) -> Float[np.ndarray, "rows"]:
    """An end of each estimate, or its value where it has no interval."""
    found = [getattr(row.estimates[key], end) for row in rows]
    return np.array([row.value(key) if e is None else e for row, e in zip(rows, found, strict=True)], float)


def rank_figure(ranks: LossRanks) -> Figure:
    """The rank correlations of losses as a grid."""
    return Figure(
        key="loss-ranks",
        title="Rank correlation of losses between defenses",
        caption=(
            "Spearman correlation of the losses of common members, mean over pairs of models. On the "
            "diagonal pairs of different runs. High off the diagonal: both leave the same records hard."
        ),
        alt="; ".join(
            f"{a} and {b}: {ranks.values[i, j]:.2f}"
            for i, a in enumerate(ranks.names)
            for j, b in enumerate(ranks.names)
            if i < j
        ),
        x=Axis(title="", categories=ranks.names),
        y=Axis(title="", categories=ranks.names, line=22),
        marks=(Grid(rows=ranks.names, columns=ranks.names, values=ranks.values, low=0.0, high=1.0),),
        table=Table(
            header=("defense", "other", "correlation"),
            rows=tuple(ranks.table.itertuples(index=False, name=None)),
        ),
        height=100 + 36 * len(ranks.names) + 7 * min(LONGEST, max(map(len, ranks.names))),
    )
