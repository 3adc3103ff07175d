"""Dynamics of membership privacy (Chen et al. 2025, arXiv 2507.23291), run again at the size of a laptop.

The paper's full text was not at hand; its claims and figures are those of its abstract and of one account by
a third party. What is asked of our figures is the direction that the paper claims and, where the account
gives a ratio, not the paper's number itself: data, models and operating point differ.
"""

from dataclasses import dataclass
from pathlib import Path

from vestige.audits.options import Options
from vestige.audits.step import Listener, silent
from vestige.core.errors import unknown_name
from vestige.designs.design import Design, factors_from
from vestige.designs.run import run
from vestige.studies.claims import DEPTHS, FINDINGS, IMAGES, LOUD, NOISE
from vestige.studies.finding import Finding
from vestige.studies.warnings import write_measured

TITLE = "Dynamics of membership privacy"
MODEL = "mlp-128-128-relu"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How large the study is.

    seeds: repetitions of the parts on digits and of perceptrons on images; networks on images run once.
    models, image_models: per cell. samples: of each image data set; networks take half. parts: None for all.
    """

    out: Path
    data_dir: Path | None = None
    seeds: tuple[int, ...] = (1, 2, 3)
    models: int = 128
    image_models: int = 32
    samples: int = 4000
    jobs: int | None = None
    parts: tuple[str, ...] | None = None


def designs(settings: Settings) -> dict[str, Design]:
    """The parts of the study, as designs of audits; the larger ones last."""
    digits = {
        "dataset": "digits", "models": settings.models, "epochs": 60, "batch_size": 32, "checkpoints": 15,
        "schedule": "cosine", "attack": ("lira-online-fixed",), "jobs": settings.jobs,
    }  # fmt: skip
    loud = {**digits, "input_noise": LOUD, "model": MODEL}
    seeds = {"seed": settings.seeds}
    images = {
        "models": settings.image_models, "samples": settings.samples, "batch_size": 64, "lr": 0.01,
        "schedule": "cosine", "data_dir": settings.data_dir, "attack": ("lira-online-fixed",),
        "jobs": settings.jobs, "epochs": 60,
    }  # fmt: skip
    network = {
        **images,
        "samples": settings.samples // 2,
        "lr": 0.05,
        "epochs": 20,
        "precision": "bf16",
        "seed": settings.seeds[0],
    }  # convolutions cost a hundred times as much on a processor without an accelerator
    parts = {
        "noise": ({"input_noise": NOISE, **seeds}, {**digits, "model": MODEL}),
        "labels": (seeds, {**digits, "model": MODEL, "label_noise": 0.2}),
        "capacity": ({"model": ("linear", "mlp-16-16-relu"), **seeds}, {**digits, "input_noise": LOUD}),
        "adam": (seeds, {**loud, "optimizer": "adam"}),
        "sam": ({"rho": (0.05, 0.2), **seeds}, {**loud, "optimizer": "sam"}),
        "images": ({"dataset": IMAGES, **seeds}, {**images, "model": "mlp-256-relu"}),
        "depth": ({"model": DEPTHS}, {**network, "dataset": "cifar10"}),
    }
    chosen = settings.parts or tuple(parts)
    for name in chosen:
        if name not in parts:
            raise unknown_name("part", name, parts)
    return {
        name: Design(Options().merged({**options, "out": settings.out / name}), factors_from(vary))
        for name, (vary, options) in parts.items()
        if name in chosen
    }


def study(settings: Settings, listener: Listener = silent) -> tuple[Finding, ...]:
    """Run what is missing of the study and give its table; findings whose parts were not run are left out.

    Beside the parts it writes measured.json, the precision of early warnings as the tracker ships it.
    """
    done = {name: run(design, listener) for name, design in designs(settings).items()}
    rows: list[Finding] = []
    for needed, found in FINDINGS:
        if set(needed) <= set(done):
            rows += found(done)
    write_measured(done, settings.out / "measured.json")
    return tuple(rows)
