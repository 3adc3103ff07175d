"""Regularization against membership inference (Kaya, Hong and Dumitras 2020, arXiv 2006.05336), run again.

Only the abstract of the paper and the released code of its follow-up (Kaya and Dumitras 2021) were at hand.
The first task is small digits in strong noise, where a plain network overfits by 25 points.
"""

from typing import Any

from vestige.audits.step import Listener, silent
from vestige.core.files import write_text
from vestige.studies.finding import Finding
from vestige.studies.part import Part, Settings, chosen, comparison
from vestige.studies.regularization_claims import BOTH, CLAIMS, NOISE
from vestige.studies.regularization_figures import figures

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
    "gaussian_noise:0.3/low=0/high=1",
    NOISE,
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
    BOTH,
)
NOISY_LABELS = ("label_smoothing:0.1", "label_smoothing:0.5", "label_smoothing:0.9")
PAIRED = (
    "label_smoothing:0.9",
    "dropout:0.8",
    NOISE,
    BOTH,
    "early_stopping:15",
    "random_crop:1",
    "random_crop:1+label_smoothing:0.5",
)
FASHION = (
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
CIFAR10 = (
    "label_smoothing:0.1",
    "early_stopping:6",
    "gaussian_noise:0.4",
    "random_crop:4",
    "cutout:16",
    "mixup:1",
    "disturb_label:0.5",
    "distillation:5",
    "random_crop:4+label_smoothing:0.1",
)


# The training of Kaya and Dumitras 2021: Adam at 1e-3, a tenth of it after 4/7 and 6/7 of the epochs.
ADAM = {"optimizer": "adam", "lr": 1e-3, "schedule": "steps"}
NOISY = "vestige.studies.noisy_digits:noisy_digits"
DIGITS = {
    "dataset": "digit_images",
    "samples": 800,
    "model": "mlp-128-128-relu",
    "batch_size": 64,
    "epochs": 60,
    **ADAM,
}


def parts(settings: Settings) -> dict[str, Part]:
    """The chosen parts by name. Raises InputError for one that does not exist."""
    data = {"data_dir": settings.data_dir}
    fashion = {"dataset": "fashion_mnist", "samples": 4000, "model": "mlp-256-relu", "epochs": 40, **data}
    cifar10 = {"dataset": "cifar10", "samples": 10_000, "model": "convnet", "epochs": 20, **ADAM, **data}
    noisy, many = {**DIGITS, "dataset": NOISY}, {"models": settings.models or 16}
    every = {
        "noisy digits": Part(options={**noisy, **many}, defenses=DEFENSES, seeds=settings.seeds),
        "wrong labels": Part(
            options={**DIGITS, "label_noise": 0.2, **many}, defenses=NOISY_LABELS, seeds=settings.seeds
        ),
        "paired distances": Part(
            options={**noisy, "models": 4, "attack": ("loss",)}, defenses=PAIRED, seeds=4 * settings.seeds
        ),
        "fashion": Part(options={**fashion, "batch_size": 64, **many}, defenses=FASHION, seeds=1),
        "cifar10": Part(options={**cifar10, **pair_or(settings.models)}, defenses=CIFAR10, seeds=1),
    }
    return chosen(every, settings)


def pair_or(models: int | None) -> dict[str, Any]:
    """So many models; or a pair, which has no references and so only the loss attacks."""
    return {"models": models} if models else {"models": 2, "attack": ("loss",)}


def study(settings: Settings, listener: Listener = silent) -> tuple[Finding, ...]:
    """Run what is missing of the study, write each part's figures beside it, and give its table."""
    rows: list[Finding] = []
    for name, part in parts(settings).items():
        found = comparison(settings, name, part, listener)
        write_text(found.folder / "figures.md", figures(found.summary))
        rows += CLAIMS[name](found)
    return tuple(rows)
