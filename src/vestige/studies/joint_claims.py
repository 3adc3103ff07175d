"""What the study of the joint attack asks of its rates, and its tables."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float64

from vestige.core import seeds
from vestige.studies.finding import Finding, Measured, finding
from vestige.studies.joint_rates import FPRS, PUBLISHED, Trial

GOALS = {4: 2.0, 8: 1.5, 16: 1.4}  # of the ratio to the best published attack
TPR = "tpr@0.001"
METRICS = ("auc", "tpr@0.01", TPR, "foreign")
RESAMPLES = 2000


def claims(
    name: str, counts: Sequence[int], ours: str, table: pd.DataFrame, goals: Mapping[int, float]
) -> list[Finding]:
    """The ratio of our attack to the best published one and to student-t, its nulls, and what its parts give.

    counts: of references, in the main table. goals: of the ratio, by that count.
    """
    rows = [row for count in counts for row in _beside(name, count, ours, table, goals.get(count))]
    for trial in _trials(table, "shuffled"):
        for attack in sorted(set(table.attack[table.trial == trial])):
            nothing = by_draw(table, trial, attack, "auc").estimate
            rows.append(finding(f"{attack}: AUC", "none", f"{name}, {trial}", nothing, most=0.51))
    for trial in _trials(table, "part by part"):
        setting, plain = f"{name}, {trial}", ours.removesuffix("-stacked")
        for attack in dict.fromkeys(table.attack[table.trial == trial]):
            if attack.startswith("joint") and attack not in (plain, ours):
                base = ours if "stacked" in attack else plain
                ratio = by_draw(table, trial, attack).over(by_draw(table, trial, base))
                rows.append(finding(f"{attack} over {base}: TPR at 0.1 %", "none", setting, ratio))
    for trial in _trials(table, "thresholds"):
        for rate in FPRS:
            hit = by_draw(table, trial, ours, f"fpr@reference {rate:g}").estimate
            claim = f"{ours}: FPR where {100 * rate:g} % of references that play the target are named"
            rows.append(finding(claim, "none", f"{name}, {trial}", hit, most=2 * rate))
    return rows


def same_seconds(name: str, ours: str, table: pd.DataFrame, seconds: float) -> Finding:
    """Our attack with the fewest references against student-t with as many as the same seconds buy.

    seconds: of a processor that a reference takes. As many: the most in the table that take no longer in
    all, references and sixteen targets together; where none take so short, the fewest.
    """
    took = {
        (attack, count): count * seconds + by_draw(table, trial, attack, "seconds").values.mean()
        for count, trial in _timed(table).items()
        for attack in (ours, "student-t")
    }
    counts = sorted(_timed(table))
    few = counts[0]
    many = max([count for count in counts if took["student-t", count] <= took[ours, few]], default=few)
    main = {count: Trial(references=count, attacks=()).name for count in (few, many)}
    ratio = by_draw(table, main[few], ours).over(by_draw(table, main[many], "student-t"))
    return finding(
        f"{ours} with {few} references over student-t with {many}: TPR at 0.1 %",
        "none",
        f"{name}, the same seconds",
        ratio,
        note=f"{took[ours, few]:.1f} s of a processor against {took['student-t', many]:.1f} s, "
        f"{seconds:.2f} s for each reference.",
    )


def figures(table: pd.DataFrame) -> str:
    """One line per trial and attack: means over targets and draws, with the deviation over draws."""
    columns = {"AUC": "auc", "TPR at 1 %": "tpr@0.01", "TPR at 0.1 %": TPR, "AUC, another's coins": "foreign"}
    return _table(table, [trial for trial in dict.fromkeys(table.trial) if "timed" not in trial], columns)


def extra_figures(table: pd.DataFrame, seconds: float) -> str:
    """The rates at thresholds of references, and what references and attack cost; empty without such trials.

    seconds: of a processor that a reference takes.
    """
    parts: list[str] = []
    if calibrated := _trials(table, "thresholds"):
        columns = {
            f"{what} where {100 * rate:g} % of references are named": f"{what.lower()}@reference {rate:g}"
            for rate in FPRS
            for what in ("TPR", "FPR")
        }
        parts.append(_table(table, calibrated, columns))
    if _timed(table):
        parts.append(_costs(table, seconds))
    return "".join(f"\n{part}" for part in parts)


def _costs(table: pd.DataFrame, seconds: float) -> str:
    lines = ["| references | attack | seconds of references | of the attack | TPR at 0.1 % |"]
    lines.append("|---|---|---|---|---|")
    for count, trial in _timed(table).items():
        main = Trial(references=count, attacks=()).name
        for attack in dict.fromkeys(table.attack[table.trial == trial]):
            took = by_draw(table, trial, attack, "seconds").values.mean()
            rate = by_draw(table, main, attack).values.mean()
            lines.append(f"| {count} | `{attack}` | {count * seconds:.1f} | {took:.1f} | {rate:.4f} |")
    return "\n".join(lines) + "\n"


def by_draw(table: pd.DataFrame, trial: str, attack: str, metric: str = TPR) -> Measured:
    """A metric's mean over the targets of each draw."""
    values = _by_target(table, trial, attack, metric)
    means = np.array([one.mean() for one in values])
    return Measured(means, np.zeros(len(means)))


def bootstrapped(table: pd.DataFrame, trial: str, ours: str, other: str) -> tuple[float, float]:
    """The 95 % interval of the ratio of TPR at 0.1 %, draws resampled and in each of them its targets.

    Both attacks keep their targets together. With five draws it is narrower than Student's over draws.
    """
    pairs = [
        np.stack(both)
        for both in zip(_by_target(table, trial, ours), _by_target(table, trial, other), strict=True)
    ]
    random = seeds.generator(0, "bootstrap of draws and targets", trial)
    ratios = np.empty(RESAMPLES)
    for place in range(RESAMPLES):
        drawn = [pairs[draw] for draw in random.integers(len(pairs), size=len(pairs))]
        chosen = [pair[:, random.integers(pair.shape[1], size=pair.shape[1])].mean(1) for pair in drawn]
        top, bottom = np.mean(chosen, axis=0)
        ratios[place] = top / bottom
    low, high = np.quantile(ratios, (0.025, 0.975))
    return float(low), float(high)


def _beside(name: str, count: int, ours: str, table: pd.DataFrame, goal: float | None) -> list[Finding]:
    trial = Trial(references=count, attacks=()).name
    best = max(PUBLISHED, key=lambda attack: by_draw(table, trial, attack).values.mean())
    setting, top = f"{name}, {trial}", by_draw(table, trial, ours)
    low, high = bootstrapped(table, trial, ours, best)
    note = f"Best published: {best}. By a paired bootstrap over draws and targets {low:.3g} to {high:.3g}."
    ratios = {
        f"{ours} over the best published: TPR at 0.1 %": (best, goal, note),
        f"{ours} over student-t: TPR at 0.1 %": ("student-t", 1.0, ""),
    }
    nothing = by_draw(table, trial, ours, "foreign").estimate
    return [
        *(
            finding(claim, "none", setting, top.over(by_draw(table, trial, other)), least=least, note=said)
            for claim, (other, least, said) in ratios.items()
        ),
        finding(f"{ours} against another model's coins: AUC", "none", setting, nothing, most=0.51),
    ]


def _trials(table: pd.DataFrame, word: str) -> list[str]:
    return sorted({trial for trial in table.trial if word in trial})


def _timed(table: pd.DataFrame) -> dict[int, str]:
    """Timed trials by their number of references, the fewest first."""
    found = {int(trial.split()[0]): trial for trial in _trials(table, "timed")}
    return dict(sorted(found.items()))


def _table(table: pd.DataFrame, trials: Sequence[str], columns: Mapping[str, str]) -> str:
    lines = [f"| trial | attack | {' | '.join(columns)} |", f"|---|---|{'---|' * len(columns)}"]
    for trial in trials:
        for attack in dict.fromkeys(table.attack[table.trial == trial]):
            cells = [_spread(by_draw(table, trial, attack, metric)) for metric in columns.values()]
            lines.append(f"| {trial} | `{attack}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _spread(found: Measured) -> str:
    return f"{found.values.mean():.4f} ± {found.values.std(ddof=1):.4f}"


def _by_target(
    table: pd.DataFrame, trial: str, attack: str, metric: str = TPR
) -> list[Float64[np.ndarray, "targets"]]:
    """A metric of each draw's targets, in the order in which they were drawn."""
    rows = table[(table.trial == trial) & (table.attack == attack)]
    draw, values = np.asarray(rows["draw"]), np.asarray(rows[metric], np.float64)
    return [values[draw == one] for one in np.unique(draw)]
