"""Regularization against membership inference (Kaya, Hong and Dumitras 2020, arXiv 2006.05336), run again.

Only the abstract of the paper and the released code of its follow-up (Kaya and Dumitras 2021) were at hand.
The first task is small digits in strong noise, where a plain network overfits by 25 points.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vestige.audits.options import Options
from vestige.audits.step import Listener, silent
from vestige.core.errors import unknown_name
from vestige.designs.compare import design_of, run
from vestige.designs.protection import Protection
from vestige.studies.finding import Finding
from vestige.studies.regularization_claims import CLAIMS, NOISY_LABELS, advantages

TITLE = "Regularization against membership inference"

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
        rows += [*advantages(found, name), *CLAIMS[name](found)]
    return tuple(rows)
