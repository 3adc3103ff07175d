"""Figures of attacks, controls and accuracies."""

import numpy as np

from vestige.report.arrays import AccuracyCurve
from vestige.report.figure import ACCENT, INK, MUTED, Axis, Figure, Intervals, Line, Table
from vestige.risk.control import Control
from vestige.risk.curve import LOWEST_FPR, RocCurve
from vestige.risk.estimate import Estimate
from vestige.risk.summary import AttackSummary

_OTHERS = ("blue", "amber", "violet", "rose", "green", "slate")


def roc_figure(curves: tuple[RocCurve, ...], together: bool = False) -> Figure:
    """The ROC of each attack on logarithmic axes, gray where the sample cannot carry the rate.

    together: whether these attacks take all candidates together, as another attacker does.
    """
    marks = [mark for i, curve in enumerate(curves) for mark in _roc_lines(curve, _color(i), band=i == 0)]
    grid = curves[0].fpr
    low = _lowest_shown(curves)
    chance = Line(name="chance", x=grid, y=grid, color=MUTED, dashed=True)
    rows = tuple(
        (c.attack, float(f), float(t), float(lo), float(hi), int(s))
        for c in curves
        for f, t, lo, hi, s in zip(c.fpr, c.tpr, c.low, c.high, c.supported, strict=True)
    )
    return Figure(
        key="roc-together" if together else "roc",
        title="How many members each attack names, at each error rate"
        + (", all candidates together" if together else ""),
        caption=(
            "Across: the share of non-members wrongly named. Up: the share of members named. All targets "
            "stand under one common threshold. The band holds 80 % of the targets. Dashed: chance. "
            "Gray dotted parts cannot be relied on: too few non-members stand behind them."
        ),
        alt=_roc_alt(curves),
        x=Axis(title="False positive rate", low=low, high=1.0, log=True, percent=True),
        y=Axis(title="True positive rate", low=low, high=1.0, log=True, percent=True),
        marks=(chance, *marks),
        table=Table(header=("attack", "fpr", "tpr", "tpr_p10", "tpr_p90", "supported"), rows=rows),
        height=460,
    )


def auc_figure(attacks: tuple[AttackSummary, ...]) -> Figure:
    """The AUC of every attack with its interval, against one half."""
    return _interval_figure(
        key="auc",
        title="AUC of each attack, with its 95 % interval",
        caption="AUC is how often a member ranks above a non-member. The line at 0.5 is chance.",
        rows=tuple((a.attack, a.auc) for a in attacks),
        x=Axis(title="AUC (mean over targets)"),
    )


def control_figure(controls: tuple[Control, ...]) -> Figure:
    """What the validity controls gave, against one half."""
    return _interval_figure(
        key="controls",
        title="Validity controls",
        caption="The positive control must lie far to the right; the others must lie at chance, 0.5.",
        rows=tuple((c.name, c.estimate) for c in controls),
        x=Axis(title="AUC", low=0.35, high=1.02),
    )


def accuracy_figure(curves: tuple[AccuracyCurve, ...]) -> Figure:
    """Accuracy of the models over training, on what they were trained on and on what they were not."""
    colors = {"members": ACCENT, "non-members": "blue", "test": "amber"}
    lines = tuple(
        Line(
            name=curve.part,
            x=np.asarray(curve.epochs, np.float64),
            y=curve.values.mean(0),
            low=curve.values.min(0),
            high=curve.values.max(0),
            color=colors.get(curve.part, INK),
        )
        for curve in curves
    )
    rows = tuple(
        (line.name, float(e), float(y)) for line in lines for e, y in zip(line.x, line.y, strict=True)
    )
    final = ", ".join(f"{line.name} {100 * line.y[-1]:.1f} %" for line in lines)
    return Figure(
        key="accuracy",
        title="Accuracy of the models over training",
        caption="The line is the mean over models; the band runs from the lowest to the highest.",
        alt=f"Accuracy at the last checkpoint: {final}.",
        x=Axis(title="Epoch"),
        y=Axis(title="Accuracy", low=0.0, high=1.02, percent=True),
        marks=lines,
        table=Table(header=("part", "epoch", "accuracy"), rows=rows),
        height=320,
    )


def _interval_figure(
    key: str, title: str, caption: str, rows: tuple[tuple[str, Estimate], ...], x: Axis
) -> Figure:
    shown = [(name, e.value, e.low, e.high) for name, e in rows if e.value is not None][::-1]
    names = tuple(row[0] for row in shown)
    value = np.array([row[1] for row in shown], np.float64)
    low = np.array([row[1] if row[2] is None else row[2] for row in shown], np.float64)
    high = np.array([row[1] if row[3] is None else row[3] for row in shown], np.float64)
    return Figure(
        key=key,
        title=title,
        caption=caption,
        alt="; ".join(
            f"{n}: {v:.3f} ({a:.3f} to {b:.3f})" for n, v, a, b in zip(names, value, low, high, strict=True)
        ),
        x=x,
        y=Axis(title="", categories=names),
        marks=(
            Line(
                name="chance",
                listed=False,
                x=np.array([0.5, 0.5]),
                y=np.array([-0.6, len(names) - 0.4]),
                color=MUTED,
                dashed=True,
            ),
            Intervals(name="estimate", rows=names, value=value, low=low, high=high, color=ACCENT),
        ),
        table=Table(
            header=("name", "estimate", "low", "high"),
            rows=tuple(
                (n, float(v), float(a), float(b)) for n, v, a, b in zip(names, value, low, high, strict=True)
            ),
        ),
        height=120 + 34 * len(names),
    )


def _roc_lines(curve: RocCurve, color: str, *, band: bool) -> list[Line]:
    solid, gray = curve.supported & (curve.tpr > 0), ~curve.supported & (curve.tpr > 0)
    if gray.any() and solid.any():
        gray[np.flatnonzero(solid)[0]] = True  # joins the two parts
    lines = [
        Line(
            name=curve.attack,
            x=curve.fpr[solid],
            y=curve.tpr[solid],
            color=color,
            low=curve.low[solid] if band else None,
            high=curve.high[solid] if band else None,
        )
    ]
    if gray.any():
        gray_part = Line(
            name=f"{curve.attack} (not supported)",
            x=curve.fpr[gray],
            y=curve.tpr[gray],
            color=MUTED,
            dashed=True,
            listed=False,
        )
        lines.insert(0, gray_part)
    return lines


def _lowest_shown(curves: tuple[RocCurve, ...]) -> float:
    """One decade below the lowest rate that the sample carries, at most 1 %."""
    carried = [float(c.fpr[c.supported].min()) for c in curves if c.supported.any()]
    lowest = min([*carried, 0.1])
    return max(LOWEST_FPR, min(0.01, 10 ** np.floor(np.log10(lowest) - 0.5)))


def _roc_alt(curves: tuple[RocCurve, ...]) -> str:
    parts: list[str] = []
    for curve in curves:
        at = {f: float(curve.tpr[np.argmin(np.abs(np.log(curve.fpr / f)))]) for f in (0.01, 0.1)}
        parts.append(f"{curve.attack}: {100 * at[0.01]:.1f} % at 1 %, {100 * at[0.1]:.1f} % at 10 %")
    return f"True positive rate at a false positive rate. {'; '.join(parts)}."


def _color(index: int) -> str:
    return ACCENT if index == 0 else _OTHERS[(index - 1) % len(_OTHERS)]
