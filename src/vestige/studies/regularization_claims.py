"""What the study of regularization asks of its comparisons, claim by claim."""

from collections.abc import Callable

import numpy as np

from vestige.designs.protection import Protection
from vestige.studies.finding import Finding, Measured, finding

POWERFUL, ACCURACY = ("loss-powerful", "advantage"), ("utility", "test_accuracy")
GAIN = ("distance", "gain")
NOISY_LABELS = ("label_smoothing:0.1", "label_smoothing:0.5")


def value(found: Protection, defense: str, key: tuple[str, str]) -> Measured:
    """A figure of a defense, one value per seed with its standard error."""
    rows = [r for r in found.rows if r.defense == defense and (r.attack, r.metric) == key]
    values = [np.nan if r.estimate.value is None else r.estimate.value for r in rows]
    errors = [np.nan if r.estimate.standard_error is None else r.estimate.standard_error for r in rows]
    return Measured(np.array(values, float), np.array(errors, float))


def advantages(found: Protection, part: str) -> list[Finding]:
    """Every defense: the powerful advantage, as measured."""
    return [
        finding(
            f"powerful advantage, {defense}",
            "–",
            part,
            value(found, defense, POWERFUL).estimate,
            note="Differences under 0.02 are noise at this size.",
        )
        for defense in found.defenses
    ]


def _noisy_digits(found: Protection) -> list[Finding]:
    return [*_smoothing(found), *_shields(found), *_combination(found), *_distances(found)]


PART = "noisy digits"


def _smoothing(found: Protection) -> list[Finding]:
    """Label smoothing keeps accuracy and raises what the attack finds."""
    none, low, middle, high = (
        value(found, defense, POWERFUL)
        for defense in ("none", "label_smoothing:0.1", "label_smoothing:0.5", "label_smoothing:0.9")
    )
    accuracies = [value(found, defense, ACCURACY) for defense in ("label_smoothing:0.5", "none")]
    helps = "label smoothing can help attacks"
    return [
        finding("powerful advantage without a defense", "none", PART, none.estimate, least=0.15),
        finding("powerful advantage, smoothing 0.9 less none", helps, PART, high.minus(none), least=0.05),
        finding("powerful advantage, smoothing 0.5 less 0.1", helps, PART, middle.minus(low), least=0.0),
        finding(
            "test accuracy, smoothing 0.5 less none",
            "not lower",
            PART,
            accuracies[0].minus(accuracies[1]),
            least=-0.01,
        ),
    ]


def _shields(found: Protection) -> list[Finding]:
    """What lowers the advantage clearly."""
    none = value(found, "none", POWERFUL)
    return [
        finding(
            f"{defense}: advantage over that of none",
            "lowers it",
            PART,
            value(found, defense, POWERFUL).over(none),
            most=0.6,
        )
        for defense in ("gaussian_noise:0.6", "dropout:0.8", "random_crop:1", "early_stopping:15")
    ]


def _combination(found: Protection) -> list[Finding]:
    """Smoothing beside strong noise: accuracy comes back, leakage hardly does."""
    both, alone = "gaussian_noise:0.6+label_smoothing:0.5", "gaussian_noise:0.6"
    accuracy = value(found, both, ACCURACY).minus(value(found, alone, ACCURACY))
    leakage = value(found, both, POWERFUL).minus(value(found, alone, POWERFUL))
    name = "noise 0.6 with smoothing 0.5 less noise 0.6"
    return [
        finding(f"accuracy, {name}", "recovers accuracy", PART, accuracy, least=-0.01),
        finding(f"advantage, {name}", "at little leakage", PART, leakage, most=0.025),
    ]


def _distances(found: Protection) -> list[Finding]:
    """Where the distance to confident sees more than the loss."""
    return [
        finding(
            f"distance AUC less loss AUC, {defense}",
            "attacks miss what the distance sees",
            PART,
            value(found, defense, GAIN).estimate,
            least=least,
            most=most,
        )
        for defense, least, most in (
            ("gaussian_noise:0.6", 0.0, None),
            ("dropout:0.8", 0.0, None),
            ("none", None, 0.0),
        )
    ]


def _wrong_labels(found: Protection) -> list[Finding]:
    return [
        finding(
            f"{defense}: powerful advantage less that of none",
            "label smoothing can help attacks",
            "digits, 20 % of labels wrong",
            value(found, defense, POWERFUL).minus(value(found, "none", POWERFUL)),
        )
        for defense in NOISY_LABELS
    ]


def _fashion(found: Protection) -> list[Finding]:
    none = value(found, "none", POWERFUL)
    return [
        finding(
            f"{defense}: powerful advantage less that of none",
            paper,
            "Fashion-MNIST subset, MLP",
            value(found, defense, POWERFUL).minus(none),
            least=least,
            most=most,
        )
        for defense, paper, least, most in (
            ("label_smoothing:0.2", "raises it (0.179 against 0.086 at full size)", 0.0, None),
            ("early_stopping:8", "lowers it", None, 0.0),
            ("random_crop:4", "lowers it", None, 0.0),
        )
    ]


CLAIMS: dict[str, Callable[[Protection], list[Finding]]] = {
    "noisy digits": _noisy_digits,
    "wrong labels": _wrong_labels,
    "fashion": _fashion,
}
