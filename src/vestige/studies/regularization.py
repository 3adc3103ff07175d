"""Regularization against membership inference (Kaya, Hong and Dumitras 2020, arXiv 2006.05336), run again.

Only the abstract of the paper and the released code of its follow-up (Kaya and Dumitras 2021) were at hand.
The first task is small digits in strong noise, where a plain network overfits by 25 points.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vestige.audits.options import Options
from vestige.audits.step import Listener, silent
from vestige.core.errors import unknown_name
from vestige.designs.compare import design_of, run
from vestige.designs.protection import Protection
from vestige.studies.finding import Finding, Measured, finding

TITLE = "Regularization against membership inference"
POWERFUL, ACCURACY = ("loss-powerful", "advantage"), ("utility", "test_accuracy")
GAIN, DISTANCE = ("distance", "gain"), ("distance", "auc")

DEFENSES = (
    "label_smoothing:0.1",
    "label_smoothing:0.5",
    "label_smoothing:0.9",
    "weight_decay:0.01",
    "dropout:0.5",
    "dropout:0.8",
    "early_stopping:15",
    "early_stopping:8",
    "gaussian_noise:0.3",
    "gaussian_noise:0.6",
    "random_crop:1",
    "mixup:1",
    "disturb_label:0.5",
    "disturb_label:0.8",
    "distillation:5",
    "distillation:50",
    "confidence_penalty:0.1",
    "relax_loss:0.5",
    "selena:10/3",
    "random_crop:1+label_smoothing:0.5",
    "gaussian_noise:0.6+label_smoothing:0.5",
)
NOISY_LABELS = ("label_smoothing:0.1", "label_smoothing:0.5")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How large the study is: models per defense and seed, seeds, and which parts (None for all)."""

    out: Path
    data_dir: Path | None = None
    seeds: int = 3
    models: int = 16
    jobs: int | None = None
    parts: tuple[str, ...] | None = None


def parts(settings: Settings) -> dict[str, Callable[[Listener], Protection]]:
    """The comparisons of the study, each as a call that runs what is missing of it."""
    base = {
        "dataset": "digit_images",
        "samples": 800,
        "input_noise": 0.4,
        "model": "mlp-128-128-relu",
        "optimizer": "adam",
        "lr": 1e-3,
        "weight_decay": 1e-6,
        "batch_size": 64,
        "epochs": 60,
        "schedule": "steps",
        "models": settings.models,
        "jobs": settings.jobs,
        "seed": 1,
    }
    images = {
        "dataset": "fashion_mnist",
        "samples": 4000,
        "model": "mlp-256-relu",
        "epochs": 40,
        "batch_size": 64,
        "models": settings.models,
        "jobs": settings.jobs,
        "seed": 1,
        "data_dir": settings.data_dir,
    }
    plans = {
        "noisy digits": (base, DEFENSES, settings.seeds),
        "wrong labels": ({**base, "input_noise": 0.0, "label_noise": 0.2}, NOISY_LABELS, settings.seeds),
        "fashion": (images, IMAGE_DEFENSES, 1),
    }
    chosen = settings.parts or tuple(plans)
    for name in chosen:
        if name not in plans:
            raise unknown_name("part", name, plans)

    def call(name: str) -> Callable[[Listener], Protection]:
        options, defenses, seeds = plans[name]
        out = settings.out / name.replace(" ", "-")
        design = design_of(Options().merged({**options, "out": out}), defenses, seeds)
        return lambda listener: run(design, True, listener)

    return {name: call(name) for name in chosen}


IMAGE_DEFENSES = (
    "label_smoothing:0.2",
    "weight_decay:0.001",
    "dropout:0.5",
    "early_stopping:8",
    "gaussian_noise:0.5",
    "random_crop:4",
    "cutout:14",
    "mixup:1",
    "disturb_label:0.5",
    "distillation:5",
    "random_crop:4+label_smoothing:0.5",
)


def study(settings: Settings, listener: Listener = silent) -> tuple[Finding, ...]:
    """Run what is missing of the study and give its table."""
    rows: list[Finding] = []
    for name, call in parts(settings).items():
        found = call(listener)
        rows += [*_advantages(found, name), *CLAIMS[name](found)]
    return tuple(rows)


def value(found: Protection, defense: str, key: tuple[str, str]) -> Measured:
    """A figure of a defense, one value per seed with its standard error."""
    rows = [r for r in found.rows if r.defense == defense and (r.attack, r.metric) == key]
    values = [np.nan if r.estimate.value is None else r.estimate.value for r in rows]
    errors = [np.nan if r.estimate.standard_error is None else r.estimate.standard_error for r in rows]
    return Measured(np.array(values, float), np.array(errors, float))


def _advantages(found: Protection, part: str) -> list[Finding]:
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
    part = "noisy digits"

    def of(defense: str, key: tuple[str, str] = POWERFUL) -> Measured:
        return value(found, defense, key)

    none = of("none")
    rows = [
        finding(
            "powerful advantage without a defense",
            "0.20 to 0.33 (our calibration)",
            part,
            none.estimate,
            least=0.15,
        ),
        finding(
            "label smoothing 0.9 raises the powerful advantage",
            "label smoothing can help attacks",
            part,
            of("label_smoothing:0.9").minus(none),
            least=0.05,
        ),
        finding(
            "label smoothing 0.5 above 0.1",
            "grows with smoothing",
            part,
            of("label_smoothing:0.5").minus(of("label_smoothing:0.1")),
            least=0.0,
        ),
        finding(
            "test accuracy, label smoothing 0.5 less none",
            "not lower",
            part,
            of("label_smoothing:0.5", ACCURACY).minus(of("none", ACCURACY)),
            least=-0.01,
        ),
    ]
    for defense in ("gaussian_noise:0.6", "dropout:0.8", "random_crop:1", "early_stopping:15"):
        rows.append(
            finding(
                f"{defense}: advantage over that of none", "lowers it", part, of(defense).over(none), most=0.6
            )
        )
    rows += [
        finding(
            "accuracy, noise 0.6 with smoothing 0.5 less noise 0.6",
            "recovers accuracy",
            part,
            of("gaussian_noise:0.6+label_smoothing:0.5", ACCURACY).minus(of("gaussian_noise:0.6", ACCURACY)),
            least=-0.01,
        ),
        finding(
            "advantage, noise 0.6 with smoothing 0.5 less noise 0.6",
            "at little leakage",
            part,
            of("gaussian_noise:0.6+label_smoothing:0.5").minus(of("gaussian_noise:0.6")),
            most=0.025,
        ),
    ]
    for defense, least, most in (
        ("gaussian_noise:0.6", 0.0, None),
        ("dropout:0.8", 0.0, None),
        ("none", None, 0.0),
    ):
        rows.append(
            finding(
                f"distance AUC less loss AUC, {defense}",
                "attacks miss what the distance sees",
                part,
                value(found, defense, GAIN).estimate,
                least=least,
                most=most,
            )
        )
    return rows


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
