"""What the study of regularization asks of its comparisons, claim by claim."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from vestige.designs.protection import Protection
from vestige.risk.estimate import Estimate
from vestige.studies.finding import Finding, Measured, finding

Claims = Callable[[Protection], list[Finding]]
POWERFUL, ACCURACY = ("loss-powerful", "advantage"), ("utility", "test_accuracy")
GAIN, DISTANCE = ("distance", "gain"), ("distance", "auc")
NOISE = "gaussian_noise:0.6/low=0/high=1"
BOTH = f"{NOISE}+label_smoothing:0.5"
HELPS = "label smoothing can help attacks"
MISSED = "attacks miss what the distance sees"
SMALL = "Differences under 0.02 are noise at this size."


def value(found: Protection, defense: str, key: tuple[str, str]) -> Measured:
    """A figure of a defense, one value per seed with its standard error."""
    rows = [r for r in found.rows if r.defense == defense and (r.attack, r.metric) == key]
    values = [np.nan if r.estimate.value is None else r.estimate.value for r in rows]
    errors = [np.nan if r.estimate.standard_error is None else r.estimate.standard_error for r in rows]
    return Measured(np.array(values, float), np.array(errors, float))


def _noisy_digits(found: Protection) -> list[Finding]:
    return [
        *_smoothing(found),
        *_shields(found),
        *_combination(found),
        *_wrong_classes(found),
        *_alike(found),
    ]


DIGITS = "noisy digits"


def _smoothing(found: Protection) -> list[Finding]:
    """Label smoothing keeps accuracy and raises what the attack finds."""
    none, low, middle, high = (
        value(found, defense, POWERFUL)
        for defense in ("none", "label_smoothing:0.1", "label_smoothing:0.5", "label_smoothing:0.9")
    )
    accuracies = [value(found, defense, ACCURACY) for defense in ("label_smoothing:0.5", "none")]
    kept = accuracies[0].minus(accuracies[1])
    return [
        finding("powerful advantage without a defense", "none", DIGITS, none.estimate, least=0.15),
        finding("powerful advantage, smoothing 0.9 less none", HELPS, DIGITS, high.minus(none), least=0.05),
        finding("powerful advantage, smoothing 0.5 less 0.1", HELPS, DIGITS, middle.minus(low), least=0.0),
        finding("test accuracy, smoothing 0.5 less none", "not lower", DIGITS, kept, least=-0.02),
    ]


def _shields(found: Protection) -> list[Finding]:
    """What lowers the advantage clearly."""
    none = value(found, "none", POWERFUL)
    return [
        finding(
            f"{defense}: advantage over that of none",
            "lowers it",
            DIGITS,
            value(found, defense, POWERFUL).over(none),
            most=0.6,
        )
        for defense in (NOISE, "dropout:0.8", "random_crop:1", "early_stopping:15")
    ]


def _combination(found: Protection) -> list[Finding]:
    """Smoothing beside strong noise or cropping: accuracy comes back, leakage hardly does."""
    rows: list[Finding] = []
    crops = ("random_crop:1", "random_crop:1+label_smoothing:0.5")
    for name, alone, both in (("noise 0.6", NOISE, BOTH), ("crop 1", *crops)):
        accuracy = value(found, both, ACCURACY).minus(value(found, alone, ACCURACY))
        leakage = value(found, both, POWERFUL).minus(value(found, alone, POWERFUL))
        claim = f"{name} with smoothing 0.5 less {name}"
        rows += [
            finding(f"accuracy, {claim}", "recovers accuracy", DIGITS, accuracy, least=-0.01),
            finding(f"advantage, {claim}", "at little leakage", DIGITS, leakage, most=0.025, note=SMALL),
        ]
    return rows


def _wrong_classes(found: Protection) -> list[Finding]:
    """Why smoothing helps: only members get wrong classes that are alike."""
    return [
        finding(
            f"spread over wrong classes, non-members less members, label smoothing {share}",
            "smoothing flattens wrong classes for members only",
            DIGITS,
            value(found, f"label_smoothing:{share}", ("wrong-classes", "spread_non_members")).minus(
                value(found, f"label_smoothing:{share}", ("wrong-classes", "spread_members"))
            ),
            least=0.0,
        )
        for share in ("0.1", "0.5", "0.9")
    ]


def _alike(found: Protection) -> list[Finding]:
    """Rank correlations of losses; of the first seed, so without an interval."""
    path = found.folder / "loss_ranks.parquet"
    if not path.is_file():
        return []
    ranks = pd.read_parquet(path).set_index(["defense", "other"]).correlation
    pairs = (("none", "none"), ("none", "early_stopping:8"), ("dropout:0.8", "early_stopping:15"))
    return [
        finding(
            f"rank correlation of losses, {one} and {other}",
            "strong regularization acts like training less",
            DIGITS,
            Estimate(value=float(ranks[one, other])),
            note="Of the first seed.",
        )
        for one, other in pairs
    ]


def _distances(found: Protection) -> list[Finding]:
    """Where the distance to confident sees more than the loss, and where it does not."""
    asked = {NOISE: (0.0, None), "dropout:0.8": (0.0, None), "none": (None, 0.0)}
    rows = [
        finding("distance AUC, none", "none", DIGITS, value(found, "none", DISTANCE).estimate, least=0.62)
    ]
    for defense in found.defenses:
        least, most = asked.get(defense, (None, None))
        gain = value(found, defense, GAIN).estimate
        claim = f"distance AUC less loss AUC, {defense}"
        rows.append(finding(claim, MISSED, f"{DIGITS}, {found.seeds} seeds", gain, least=least, most=most))
    return rows


def _wrong_labels(found: Protection) -> list[Finding]:
    none = value(found, "none", POWERFUL)
    return [
        finding(
            f"{defense}: powerful advantage less that of none",
            HELPS,
            "digits, 20 % of labels wrong",
            value(found, defense, POWERFUL).minus(none),
        )
        for defense in found.defenses
        if defense != "none"
    ]


def _images(setting: str, claims: dict[str, tuple[str, float | None, float | None]]) -> Claims:
    """Claims on the powerful advantage of a defense less that of none: in words, at least, at most."""

    def rows(found: Protection) -> list[Finding]:
        none = value(found, "none", POWERFUL)
        differences = [
            finding(
                f"{defense}: powerful advantage less that of none",
                paper,
                setting,
                value(found, defense, POWERFUL).minus(none),
                least=least,
                most=most,
            )
            for defense, (paper, least, most) in claims.items()
        ]
        return [finding("powerful advantage, none", "–", setting, none.estimate), *differences]

    return rows


LOWER = (None, 0.0)
CLAIMS: dict[str, Claims] = {
    "noisy digits": _noisy_digits,
    "wrong labels": _wrong_labels,
    "paired distances": _distances,
    "fashion": _images(
        "Fashion-MNIST, 2,000 members, MLP",
        {
            "label_smoothing:0.2": ("raises it: .179 against .086 on all of it, convnet", 0.0, None),
            "early_stopping:8": ("lowers it", *LOWER),
            "random_crop:4": ("lowers it", *LOWER),
            "mixup:1": ("lowers it", *LOWER),
        },
    ),
    "cifar10": _images(
        "CIFAR-10, 5,000 members, convnet",
        {
            "random_crop:4": ("lowers it: .184 against .281 on all of it, VGG", *LOWER),
            "random_crop:4+label_smoothing:0.1": ("lowers it", *LOWER),
            "early_stopping:6": ("lowers it", *LOWER),
            "disturb_label:0.5": ("lowers it", *LOWER),
            "distillation:5": ("lowers it", *LOWER),
            "gaussian_noise:0.4": ("hardly lowers it: .232 against .281", None, None),
            "label_smoothing:0.1": ("can raise it", None, None),
        },
    ),
}
