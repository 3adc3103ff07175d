"""The page that compares defenses: what they cost, what still leaks, and what the attacks miss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from vestige.core.files import write_text
from vestige.report.figure import Axis, Figure, Grid, Points, Table
from vestige.report.markup import bullets, figure, paragraph, section, table
from vestige.report.shell import document
from vestige.risk.estimate import Estimate
from vestige.risk.percent import percent
from vestige.risk.selection import Candidate, front, winners

Key = tuple[str, str]  # attack, metric
TEST_ACCURACY: Key = ("utility", "test_accuracy")
AVERAGE, POWERFUL = ("loss-average", "advantage"), ("loss-powerful", "advantage")
ADAPTIVE: Key = ("loss-adaptive", "advantage")
DROPS = (0.1, 0.25)  # Kaya, Hong and Dumitras 2020 select at relative accuracy drops of 10 % and 25 %
DISTANCE, LOSS = ("distance", "auc"), ("loss", "auc")


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
        """The largest advantage of the loss attacks: average, best threshold, adaptive if there is one."""
        return float(np.nanmax([self.value(AVERAGE), self.value(POWERFUL), self.value(ADAPTIVE), -1.0]))


@dataclass(frozen=True, kw_only=True, eq=False)
class LossRanks:
    """Mean rank correlations of losses between the models of two defenses, on common members."""

    names: tuple[str, ...]
    values: Float[np.ndarray, "defenses defenses"]


def render_protection(
    rows: Sequence[ProtectionRow],
    headline: str,
    seeds: int,
    ranks: LossRanks | None,
    path: Path,
    links: Mapping[str, str],
) -> Path:
    """Write the comparison in one step and return its path.

    headline: the attack whose rates at low FPR are shown. links: of each defense to its own report.
    Raises ValidityError when the text would hold a word that no audit can carry.
    """
    given = tuple(row.name for row in rows)
    body = (
        f"<main><h1>What protects, and at what price</h1>{_body(rows, headline, seeds, ranks, links)}</main>"
    )
    write_text(path, document("What protects, and at what price", body, given=given))
    return path


def _body(
    rows: Sequence[ProtectionRow],
    headline: str,
    seeds: int,
    ranks: LossRanks | None,
    links: Mapping[str, str],
) -> str:
    done = [row for row in rows if not row.failure]
    spread = f"95 % over {seeds} seeds" if seeds > 1 else "95 % over target models of one seed"
    parts = [
        section("1", "Answer", *_answer(done), _failures(rows)),
        section(
            "2",
            "Use against leakage",
            paragraph(
                "To the right: more accurate on records that were not trained on. Down: less leaked. What "
                f"lies on the dotted line is not beaten in both. Intervals: {spread}."
            ),
            figure(_front_figure(done, (headline, "tpr@0.01"), f"TPR at 1 % FPR, {headline}")),
            figure(_front_figure(done, POWERFUL, "Advantage of the best loss threshold")),
            _table(done, headline),
        ),
        section("3", "The worst case", *_worst(done, headline)),
        section("4", "What attacks miss", *_distance(done)),
    ]
    if ranks is not None:
        parts.append(section("5", "Do they protect alike?", figure(_rank_figure(ranks))))
    parts.append(section("6", "Small print", *_notes(rows, links)))
    return "".join(parts)


def _answer(rows: Sequence[ProtectionRow]) -> list[str]:
    candidates = _candidates(rows)
    base = next((row.value(TEST_ACCURACY) for row in rows if row.name == "none"), np.nan)
    kept = ", ".join(front(candidates)) or "none"
    parts = [paragraph(f"Not beaten in both accuracy and leakage by any other: {kept}.")]
    for drop in DROPS:
        found = winners(candidates, base, drop)
        chosen = [
            f"{mechanism}: {best.name} (accuracy {percent(best.accuracy)}, advantage {best.leakage:.3f})"
            if best
            else f"{mechanism}: no setting keeps enough accuracy"
            for mechanism, best in found.items()
            if mechanism != "none"
        ]
        title = f"Least leakage per mechanism, with accuracy at most {100 * drop:g} % below no defense:"
        parts += [paragraph(title), bullets(chosen)]
    return parts


def _candidates(rows: Sequence[ProtectionRow]) -> list[Candidate]:
    return [
        Candidate(
            name=row.name,
            mechanism=row.mechanism,
            accuracy=row.value(TEST_ACCURACY),
            leakage=row.leakage,
        )
        for row in rows
        if np.isfinite(row.value(TEST_ACCURACY))
    ]


def _failures(rows: Sequence[ProtectionRow]) -> str:
    return "".join(
        paragraph(f"{row.name} could not be measured: {row.failure}") for row in rows if row.failure
    )


def _front_figure(rows: Sequence[ProtectionRow], key: Key, title: str) -> Figure:
    shown = [row for row in rows if np.isfinite(row.value(key)) and np.isfinite(row.value(TEST_ACCURACY))]
    candidates = [
        Candidate(name=r.name, mechanism="", accuracy=r.value(TEST_ACCURACY), leakage=r.value(key))
        for r in shown
    ]
    names = front(candidates)
    by_name = {row.name: row for row in shown}
    on_front = [by_name[name] for name in names]
    others = [row for row in shown if row.name not in names]
    marks = [_points("not beaten", on_front, key, "accent", joined=True)]
    if others:
        marks.append(_points("beaten by another", others, key, "muted", joined=False))
    return Figure(
        key=f"front-{key[0]}-{key[1].replace('@', '-at-')}",
        title=f"{title} against accuracy",
        caption="Each point is a defense, with its intervals along both axes.",
        alt=f"Not beaten, by falling accuracy: {', '.join(names)}.",
        x=Axis(title="Accuracy on non-members", percent=True),
        y=Axis(title=title, low=min(0.0, *(row.value(key) for row in shown)) if shown else 0.0),
        marks=tuple(marks),
        table=Table(
            header=("defense", "test_accuracy", "leakage", "on_front"),
            rows=tuple(
                (r.name, r.value(TEST_ACCURACY), r.value(key), "yes" if r.name in names else "no")
                for r in shown
            ),
        ),
        height=460,
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
    )


def _column(rows: Sequence[ProtectionRow], key: Key, end: str) -> Float[np.ndarray, "rows"]:
    """An end of each estimate, or its value where it has no interval."""
    found = [getattr(row.estimates[key], end) for row in rows]
    return np.array([row.value(key) if e is None else e for row, e in zip(rows, found, strict=True)], float)


def _table(rows: Sequence[ProtectionRow], headline: str) -> str:
    columns: tuple[tuple[str, Key], ...] = (
        ("Train accuracy", ("utility", "train_accuracy")),
        ("Test accuracy", TEST_ACCURACY),
        ("ECE", ("utility", "ece")),
        ("Time", ("utility", "time_ratio")),
        (f"{headline} AUC", (headline, "auc")),
        ("TPR at 1 %", (headline, "tpr@0.01")),
        ("TPR at 0.1 %", (headline, "tpr@0.001")),
        ("RMIA AUC", ("rmia-online", "auc")),
        ("Average attack", AVERAGE),
        ("Best threshold", POWERFUL),
        ("Best threshold, adaptive", ADAPTIVE),
        ("Distance AUC", DISTANCE),
    )
    present = [(title, key) for title, key in columns if any(key in row.estimates for row in rows)]
    body = [(row.name, *(_shown(row.estimates.get(key)) for _, key in present)) for row in rows]
    header = ("Defense", *(title for title, _ in present))
    return table("All defenses", header, body, numeric=range(1, len(header)))


def _worst(rows: Sequence[ProtectionRow], headline: str) -> list[str]:
    canaries = f"{headline}@canaries"
    columns: tuple[tuple[str, Key], ...] = (
        ("Most exposed 1 %: mean TPR", (headline, "worst_tpr")),
        ("Their mean FPR", (headline, "worst_fpr")),
        ("Records in High", (headline, "high_share")),
        ("Canaries: AUC", (canaries, "auc")),
        ("Canaries: TPR at 1 %", (canaries, "tpr@0.01")),
        ("Canaries: TPR at 0.1 %", (canaries, "tpr@0.001")),
    )
    present = [(title, key) for title, key in columns if any(key in row.estimates for row in rows)]
    body = [(row.name, *(_shown(row.estimates.get(key)) for _, key in present)) for row in rows]
    header = ("Defense", *(title for title, _ in present))
    return [
        paragraph(
            "A defense that looks good on average may leave single records exposed. The most exposed are "
            "those with the largest TPR - FPR at the end; they were chosen by the figure that is shown, so "
            "it is largest by selection too. Canaries are records with a wrong label, chosen beforehand."
        ),
        table("The worst case", header, body, numeric=range(1, len(header))),
    ]


def _distance(rows: Sequence[ProtectionRow]) -> list[str]:
    measured = [row for row in rows if DISTANCE in row.estimates and ("distance", "gain") in row.estimates]
    if not measured:
        return [paragraph("Not tested: distance to confident was not measured in this comparison.")]
    body = [
        (row.name, *(_shown(row.estimates[k]) for k in (LOSS_SUBSET, DISTANCE, ("distance", "gain"))))
        for row in measured
    ]
    false = [row.name for row in measured if _misleads(row)]
    said = (
        f"A false sense of privacy: with {', '.join(false)} the loss attack is weaker than the distance to "
        "confident, by its whole interval. Members stay distinguishable by what the attack does not see."
        if false
        else "Nowhere does the distance to confident separate members clearly better than the loss attack."
    )
    header = ("Defense", "Loss AUC, same records", "Distance AUC", "Difference, paired")
    return [paragraph(said), table("Distance to confident", header, body, numeric=range(1, 4))]


LOSS_SUBSET: Key = ("loss-same-records", "auc")


def _misleads(row: ProtectionRow) -> bool:
    low = row.estimates[("distance", "gain")].low
    return low is not None and low > 0


def _rank_figure(ranks: LossRanks) -> Figure:
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
        x=Axis(title=""),
        y=Axis(title=""),
        marks=(Grid(rows=ranks.names, columns=ranks.names, values=ranks.values, low=0.0, high=1.0),),
        table=Table(
            header=("defense", "other", "correlation"),
            rows=tuple(
                (a, b, float(ranks.values[i, j]))
                for i, a in enumerate(ranks.names)
                for j, b in enumerate(ranks.names)
            ),
        ),
        height=140 + 34 * len(ranks.names),
    )


def _notes(rows: Sequence[ProtectionRow], links: Mapping[str, str]) -> list[str]:
    lines = [f"{row.name}: {note}" for row in rows for note in row.notes]
    general = (
        "References are trained with the same defense as the target, on the same coins. Average attack: "
        "member if the loss is below the mean of known members; best threshold: chosen on as many known "
        "members and non-members; adaptive: the same on the loss that training minimized, mean over 20 draws "
        "of the augmentation it used. Time is training time per model and epoch over that without a defense."
    )
    listed = [(row.name, links.get(row.name, "–")) for row in rows]
    return [paragraph(general), bullets(lines), table("Reports of each defense", ("Defense", "File"), listed)]


def _shown(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f}–{estimate.high:.3f})"
