"""The page that compares defenses: what they cost, what still leaks, and what the attacks miss."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vestige.core.files import write_text
from vestige.report.defense_table import Columns, defense_table, shown
from vestige.report.disparity import disparity
from vestige.report.markup import bullets, figure, links, paragraph, section, table
from vestige.report.protection_figures import (
    ADAPTIVE,
    AVERAGE,
    LABEL_ONLY,
    POWERFUL,
    TEST_ACCURACY,
    Key,
    LossRanks,
    ProtectionRow,
    front_figure,
    rank_figure,
)
from vestige.report.shell import document
from vestige.report.untreated import untreated
from vestige.risk.estimate import Estimate
from vestige.risk.percent import percent
from vestige.risk.selection import Candidate, front, winners

DROPS = (0.1, 0.25)  # Kaya, Hong and Dumitras 2020 select at relative accuracy drops of 10 % and 25 %
DISTANCE: Key = ("distance", "auc")
ADAPTIVE_RATE: Key = ("lira-adaptive", "tpr@0.01")
INVERTED_RATE: Key = ("lira-inversion", "tpr@0.01")
ESTIMATED_RATE: Key = ("lira-inversion-estimated", "tpr@0.01")
INVERTED: Key = ("loss-inversion", "advantage")


def render_protection(
    rows: Sequence[ProtectionRow],
    headline: str,
    seeds: int,
    ranks: LossRanks | None,
    path: Path,
    reports: Mapping[str, str],
) -> Path:
    """Write the comparison in one step and return its path.

    headline: the attack whose rates at low FPR are shown. reports: of each defense, relative to the page.
    Raises ValidityError when the text would hold a word that no audit can carry.
    """
    given = tuple(row.name for row in rows) + tuple(row.failure for row in rows)  # words of others
    title = "What protects, and at what price"
    body = f"<main><h1>{title}</h1>{_body(rows, headline, seeds, ranks, reports)}</main>"
    write_text(path, document(title, body, given=given))
    return path


def _body(
    rows: Sequence[ProtectionRow],
    headline: str,
    seeds: int,
    ranks: LossRanks | None,
    reports: Mapping[str, str],
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
            figure(front_figure(done, (headline, "tpr@0.01"), f"TPR at 1 % FPR, {headline}")),
            figure(front_figure(done, POWERFUL, "Advantage of the best loss threshold")),
            _tables(done, headline),
            *disparity(done),
        ),
        section("3", "The worst case", *_worst(done, headline), *untreated(done, headline)),
        section(
            "4", "What attacks miss", _adaptive(done, headline), *_inverted(done, headline), *_distance(done)
        ),
    ]
    if ranks is not None:
        parts.append(section("5", "Do they protect alike?", figure(rank_figure(ranks))))
    parts.append(section(str(len(parts) + 1), "Small print", *_notes(rows, reports)))
    return "".join(parts)


def _answer(rows: Sequence[ProtectionRow]) -> list[str]:
    candidates = _candidates(rows)
    base = next((one for one in candidates if one.name == "none"), None)
    kept = ", ".join(front(candidates)) or "none"
    parts = [paragraph(f"Not beaten in both accuracy and leakage by any other: {kept}.")]
    if base is None:
        return parts
    by_drop = [winners(candidates, base.accuracy, drop) for drop in DROPS]
    best = min((one for one in by_drop[0].values() if one), key=lambda one: one.leakage, default=base)
    parts.append(paragraph(_recommended(best, base)))
    names = [mechanism for mechanism in by_drop[0] if mechanism != "none"]
    body = [(name, *(_setting(found[name]) for found in by_drop)) for name in names]
    header = ("Mechanism", *(f"Accuracy at most {100 * drop:g} % lower" for drop in DROPS))
    return [*parts, table("Least leakage per mechanism: setting, accuracy, advantage", header, body)]


def _recommended(best: Candidate, base: Candidate) -> str:
    budget = f"With accuracy at most {100 * DROPS[0]:g} % below that without a defense"
    if best.name == base.name:
        return f"{budget}, nothing leaks less than no defense."
    return (
        f"{budget}, {best.name} leaks least: the strongest attacker who knows some members gains "
        f"{best.leakage:.3f}, {base.leakage:.3f} without a defense; accuracy {percent(best.accuracy)}, "
        f"{percent(base.accuracy)} without."
    )


def _setting(best: Candidate | None) -> str:
    if best is None:
        return "no setting keeps enough"
    return f"{best.name}: {percent(best.accuracy)}, {best.leakage:.3f}"


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


def _tables(rows: Sequence[ProtectionRow], headline: str) -> str:
    use: Columns = (
        ("Train accuracy", ("utility", "train_accuracy")),
        ("Test accuracy", TEST_ACCURACY),
        ("ECE", ("utility", "ece")),
        ("Time", ("utility", "time_ratio")),
    )
    likelihood: Columns = (
        (f"{headline} AUC", (headline, "auc")),
        ("TPR at 1 %", (headline, "tpr@0.01")),
        ("TPR at 0.1 %", (headline, "tpr@0.001")),
        ("Adaptive LiRA, TPR at 1 %", ADAPTIVE_RATE),
        ("Logits undone, TPR at 1 %", INVERTED_RATE),
        ("Undone by estimated means", ESTIMATED_RATE),
        ("RMIA AUC", ("rmia-online", "auc")),
    )
    known: Columns = (
        ("Average", AVERAGE),
        ("Best threshold", POWERFUL),
        ("Adaptive", ADAPTIVE),
        ("Logits undone", INVERTED),
        ("Labels alone", LABEL_ONLY),
    )
    return (
        defense_table("Use", rows, use)
        + defense_table("Leakage to an attacker with reference models", rows, likelihood)
        + defense_table("Advantage of an attacker who knows some members", rows, known)
    )


def _worst(rows: Sequence[ProtectionRow], headline: str) -> list[str]:
    canaries = f"{headline}@canaries"
    columns: Columns = (
        ("Most exposed 1 %: mean TPR", (headline, "worst_tpr")),
        ("Their mean FPR", (headline, "worst_fpr")),
        ("Records in High", (headline, "high_share")),
        ("Canaries: AUC", (canaries, "auc")),
        ("Canaries: TPR at 1 %", (canaries, "tpr@0.01")),
        ("Canaries: TPR at 0.1 %", (canaries, "tpr@0.001")),
    )
    return [
        paragraph(
            "A defense that looks good on average may leave single records exposed. The most exposed are "
            "those with the largest TPR - FPR at the end; they were chosen by the figure that is shown, so "
            "it is largest by selection too. Canaries are records with a wrong label, chosen beforehand."
        ),
        defense_table("The worst case", rows, columns),
    ]


def _adaptive(rows: Sequence[ProtectionRow], headline: str) -> str:
    """Where knowing the defense tells an attacker more than its references do."""
    plain: Key = (headline, "tpr@0.01")
    more = [
        f"{row.name} (TPR at 1 % FPR {row.value(ADAPTIVE_RATE):.3f} against {row.value(plain):.3f})"
        for row in rows
        if _exceeds(row.estimates.get(ADAPTIVE_RATE), row.estimates.get(plain))
    ]
    if not more:
        return ""
    return paragraph(
        "An attacker who asks as training asked, and looks at the loss that it minimized, sees more than "
        f"{headline}, by the whole intervals, with {', '.join(more)}."
    )


def _inverted(rows: Sequence[ProtectionRow], headline: str) -> list[str]:
    """In which threat model reweighted logits protect, and what is left when they are undone."""
    plain: Key = (headline, "tpr@0.01")
    undone = [
        f"{row.name} ({row.value(plain):.3f} as released, {row.value(INVERTED_RATE):.3f} with class means "
        f"known, {row.value(ESTIMATED_RATE):.3f} with means estimated from 30 % of the outputs)"
        for row in rows
        if np.isfinite(row.value(INVERTED_RATE))
    ]
    if not any(INVERTED in row.estimates for row in rows):
        return []
    said = (
        "Logit reweighting holds against an attacker who sees only labels or rounded outputs, or who cannot "
        "estimate the mean logits of a class. Even there it cannot do better than showing labels alone: "
        "whether an answer is right still tells members from others. With the class means known nearly all "
        "logits come back, and most of the signal with them."
    )
    return [paragraph(said), *([paragraph(f"TPR at 1 % FPR: {'; '.join(undone)}.")] if undone else [])]


def _exceeds(one: Estimate | None, other: Estimate | None) -> bool:
    low, high = (one.low if one else None), (other.high if other else None)
    return low is not None and high is not None and low > high


def _distance(rows: Sequence[ProtectionRow]) -> list[str]:
    measured = [row for row in rows if DISTANCE in row.estimates and ("distance", "gain") in row.estimates]
    if not measured:
        return [paragraph("Not tested: distance to confident was not measured in this comparison.")]
    body = [
        (row.name, *(shown(row.estimates[k]) for k in (LOSS_SUBSET, DISTANCE, ("distance", "gain"))))
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


def _notes(rows: Sequence[ProtectionRow], reports: Mapping[str, str]) -> list[str]:
    lines = [f"{row.name}: {note}" for row in rows for note in row.notes]
    general = (
        "References are trained with the same defense as the target, on the same coins. Average attack: "
        "member if the loss is below the mean of known members; best threshold: chosen on as many known "
        "members and non-members; adaptive: the same on the loss that training minimized, mean over 20 draws "
        "of the augmentation it used. Time is training time per model and epoch over that without a defense."
    )
    listed = links((row.name, reports[row.name]) for row in rows if row.name in reports)
    return [paragraph(general), bullets(lines), paragraph("Reports of the first seed:"), listed]
