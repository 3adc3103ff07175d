"""Privacy risk and generalization decoupled (Fang and Kim 2026, arXiv 2602.02296): the claims, tested.

Of the paper the claims only were at hand, no algorithm and no figure. What is tested is a reconstruction:
regions of a network that learn from a defense while the rest learns from plain cross-entropy.
"""

from typing import Any

from vestige.audits.step import Listener, silent
from vestige.core.files import write_text
from vestige.designs.measurement import Measures
from vestige.studies.finding import Finding
from vestige.studies.part import Part, Settings, chosen, comparison
from vestige.studies.pptp_claims import CLAIMS, COLUMNS
from vestige.studies.regularization_figures import figures

TITLE = "Privacy risk and generalization in different regions of a network"

SMOOTHING, RELAXED = "label_smoothing:0.3", "relax_loss:0.5"
DIGITS = (
    SMOOTHING,
    *(f"pptp:{SMOOTHING}/protect={words}" for words in ("front", "back", "layer2..", "head", "auto")),
    RELAXED,
    *(f"pptp:{RELAXED}/protect={words}" for words in ("front", "back", "layer2..", "head", "auto")),
    *(f"pptp:{defense}/protect=back/phase=two_phase" for defense in (SMOOTHING, RELAXED)),
)
IMAGES = (
    SMOOTHING,
    *(f"pptp:{SMOOTHING}/protect={words}" for words in ("..stage2", "stage2..", "head")),
    RELAXED,
    *(f"pptp:{RELAXED}/protect={words}" for words in ("..stage2", "stage2..", "head")),
)
# Defenses by strength, weakest first, as they are swept.
SWEPT: dict[str, tuple[str, ...]] = {
    "label_smoothing": ("0.03", "0.1", "0.3"),
    "confidence_penalty": ("0.1", "0.3", "1"),
    "relax_loss": ("0.1", "0.3", "1"),
    "crl": ("0.1", "0.3", "1"),
}
PROTECTED = ("back", "head")
CIFAR10_SWEPT = {name: values[1:] for name, values in SWEPT.items()}


def parts(settings: Settings) -> dict[str, Part]:
    """The chosen parts by name. Raises InputError for one that does not exist."""
    data, seeds = {"data_dir": settings.data_dir}, settings.seeds
    digits = {
        "dataset": "digits", "samples": 1200, "model": "mlp-128-128-128-relu", "batch_size": 32, "epochs": 60,
        "models": settings.models or 16,
    }  # fmt: skip
    images = {**digits, "dataset": "digit_images", "model": "convnet-2", "epochs": 30}
    perceptron = {"model": "mlp-256-256-256-relu", "batch_size": 64, "models": settings.models or 8, **data}
    cifar10 = {
        "dataset": "cifar10", "samples": 5000, "optimizer": "adam", "lr": 1e-3, "schedule": "steps",
        "epochs": 20, "models": settings.models or 4, **data,
    }  # fmt: skip
    every = {
        "noisy digits": _part({**digits, "input_noise": 0.4}, DIGITS, seeds),
        "wrong labels": _part({**digits, "label_noise": 0.2}, DIGITS, seeds),
        "digit images": _part({**images, "label_noise": 0.2}, IMAGES, seeds),
        "location30": _part({"dataset": "location30", "samples": 3000, **perceptron}, swept(SWEPT), seeds),
        "fashion": _part({"dataset": "fashion_mnist", "samples": 4000, **perceptron}, swept(SWEPT), seeds),
        "cifar10": _part({**cifar10, "model": "convnet"}, swept(CIFAR10_SWEPT), seeds),
        "cifar10 resnet": _part({**cifar10, "model": "wrn16-1"}, swept(CIFAR10_SWEPT), seeds),
    }
    return chosen(every, settings)


def swept(strengths: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Each defense at each strength: everywhere, and in each of the protected parts."""
    return tuple(
        text
        for name, values in strengths.items()
        for value in values
        for text in (
            f"{name}:{value}",
            *(f"pptp:{name}:{value}/protect={words}" for words in PROTECTED),
        )
    )


def study(settings: Settings, listener: Listener = silent) -> tuple[Finding, ...]:
    """Run what is missing of the study, write each part's figures beside it, and give its table."""
    rows: list[Finding] = []
    for name, part in parts(settings).items():
        found = comparison(settings, name, part, listener)
        write_text(found.folder / "figures.md", figures(found.summary, COLUMNS))
        rows += CLAIMS[name](found)
    return tuple(rows)


def _part(options: dict[str, Any], defenses: tuple[str, ...], seeds: int) -> Part:
    images = not str(options["model"]).startswith("mlp")
    measures = Measures(distance=False, labels=not images)  # labels alone are slow on images
    return Part(options=options, defenses=defenses, seeds=seeds, measures=measures)
