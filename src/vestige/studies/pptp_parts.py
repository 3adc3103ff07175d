"""The parts of the study of decoupling: data, networks, and the defenses that are compared on them."""

from collections.abc import Mapping, Sequence
from typing import Any

from vestige.designs.measurement import Measures
from vestige.studies.part import Part, Settings, chosen

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
# In convolutional networks all but the head as well, as their map of regions suggests.
ALL_BUT_HEAD = "..stage3"
PLACES = (*PROTECTED, ALL_BUT_HEAD)
CIFAR10_SWEPT = {**{name: values[1:] for name, values in SWEPT.items()}, "relax_loss": ("1",)}
# On the small residual network its map says that single stages are the place, the second before all; there at
# full strength they cost accuracy, so a weaker one is tried as well.
RESNET_PLACES = (ALL_BUT_HEAD, "stage2")
RESNET_SWEPT = {
    "label_smoothing": ("0.3",), "confidence_penalty": ("1",), "relax_loss": ("1",), "crl": ("1",)
}  # fmt: skip
RESNET_WEAKER = ("pptp:label_smoothing:0.1/protect=stage2", "pptp:confidence_penalty:0.3/protect=stage2")
LARGE_SWEPT = {"label_smoothing": ("0.3",), "relax_loss": ("1",)}
LARGE_PLACES = ("back", "head", "..stage4")
LARGE_EPOCHS = 25
# What else was tried of the two defenses that gain most from regions; {} is the defense with its strength.
# On Location30 all of it, and what went furthest there was tried anew on Fashion-MNIST.
TRIED_OF = ("label_smoothing:0.1", "confidence_penalty:0.3")
PRINCIPLES: dict[str, tuple[str, ...]] = {
    "other splits": ("pptp:{}/protect=front", "pptp:{}/protect=layer2.."),
    "a learning rate of their own": tuple(
        f"pptp:{{}}/protect={words}/rate={rate}" for words in PROTECTED for rate in ("0.3", "3")
    ),
    "the second half of training": tuple(f"pptp:{{}}/protect={words}/after=0.5" for words in PROTECTED),
    "two phases": tuple(f"pptp:{{}}/protect={words}/phase=two_phase" for words in PROTECTED),
    "single weights": tuple(f"cwrf:{{}}/share={share}" for share in ("0.05", "0.2")),
}


FURTHEST = ("a learning rate of their own", "the second half of training")


def parts(settings: Settings) -> dict[str, Part]:
    """The chosen parts by name. Raises InputError for one that does not exist."""
    data, models = {"data_dir": settings.data_dir}, settings.models
    digits = {
        "dataset": "digits", "samples": 1200, "model": "mlp-128-128-128-relu", "batch_size": 32, "epochs": 60,
        "models": models or 16,
    }  # fmt: skip
    images = {**digits, "dataset": "digit_images", "model": "convnet-2", "epochs": 30}
    perceptron = {"model": "mlp-256-256-256-relu", "batch_size": 64, "models": models or 8, **data}
    cifar10 = {
        "dataset": "cifar10", "optimizer": "adam", "lr": 1e-3, "schedule": "steps", "batch_size": 32,
        "epochs": 12, **data,
    }  # fmt: skip
    convnet = {**cifar10, "model": "convnet-3-16", "samples": 4000, "models": models or 8}
    resnet = {
        **cifar10, "model": "wrn10-1", "samples": 1500, "lr": 3e-3, "schedule": "cosine", "epochs": 18,
        "models": models or 6,
    }  # fmt: skip
    # as the same authors evaluate: 15,000 members, nothing augmented; theirs learns for 100 epochs
    resnet18 = {
        "dataset": "cifar10", "samples": 30_000, "model": "resnet18", "optimizer": "sgd", "lr": 0.01,
        "momentum": 0.9, "weight_decay": 5e-4, "schedule": "steps", "batch_size": 128, "epochs": LARGE_EPOCHS,
        "precision": "bf16", "models": models or 6, **data,
    }  # fmt: skip
    every: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
        "noisy digits": ({**digits, "input_noise": 0.4}, DIGITS),
        "wrong labels": ({**digits, "label_noise": 0.2}, DIGITS),
        "digit images": ({**images, "label_noise": 0.2}, IMAGES),
        "location30": ({"dataset": "location30", "samples": 3000, **perceptron}, (*swept(SWEPT), *tried())),
        "fashion": (
            {"dataset": "fashion_mnist", "samples": 4000, **perceptron},
            (*swept(SWEPT), *tried(FURTHEST)),
        ),
        "cifar10": (convnet, swept(CIFAR10_SWEPT, PLACES)),
        "cifar10 resnet": (resnet, (*swept(RESNET_SWEPT, RESNET_PLACES), *RESNET_WEAKER)),
    }
    found = {name: _part(*one, settings.seeds) for name, one in every.items()}
    large = _part(resnet18, swept(LARGE_SWEPT, LARGE_PLACES), settings.seeds, is_large=True)
    return chosen({**found, "cifar10 resnet18": large}, settings)


def swept(strengths: Mapping[str, Sequence[str]], places: Sequence[str] = PROTECTED) -> tuple[str, ...]:
    """Each defense at each strength: everywhere, and in each of these regions."""
    return tuple(
        text
        for name, values in strengths.items()
        for value in values
        for text in (f"{name}:{value}", *(f"pptp:{name}:{value}/protect={words}" for words in places))
    )


def tried(principles: Sequence[str] = tuple(PRINCIPLES), of: Sequence[str] = TRIED_OF) -> tuple[str, ...]:
    """The settings of other principles than plain routing, for each of these defenses."""
    return tuple(text.format(defense) for name in principles for defense in of for text in PRINCIPLES[name])


def _part(options: dict[str, Any], defenses: tuple[str, ...], seeds: int, is_large: bool = False) -> Part:
    images = not str(options["model"]).startswith("mlp")
    measures = Measures(distance=False, labels=not images)  # labels alone are slow on images
    return Part(options=options, defenses=defenses, seeds=seeds, measures=measures, is_large=is_large)
