"""What the study of dynamics asks of its parts, claim by claim."""

import itertools
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from vestige.designs.comparison import Comparison
from vestige.risk.estimate import Estimate
from vestige.studies.finding import Finding, Measured, finding, measured
from vestige.studies.replay import moved
from vestige.studies.warnings import foretold

NOISE = (0.0, 0.3, 0.6)
LOUD = 0.6  # the noise at which models, optimizers and attacks are compared: the most leaves most to see
IMAGES = ("mnist", "fashion_mnist", "cifar10")
DEPTHS = ("linear", "convnet-2", "convnet-3")
SECOND_ATTACK = "base-online"

Parts = Mapping[str, Comparison]


def _ladder(parts: Parts) -> list[Finding]:
    """Harder data: farther, faster, more widely spread."""
    ladders: list[tuple[str, str, tuple[object, ...], str]] = [
        ("noise", "input_noise", NOISE, "digits, noise 0 to 0.6, MLP")
    ]
    if "images" in parts:
        ladders.append(("images", "dataset", IMAGES, "MNIST to CIFAR-10, MLP"))
    rows: list[Finding] = []
    for part, option, levels, setting in ladders:
        rungs = {str(level): _of(parts[part], **{option: level}) for level in levels}
        rows += [*_steps(rungs, setting), *_ends(rungs, setting), *_as_measured(rungs, setting)]
    return rows


Rungs = Mapping[str, Callable[[str], Measured]]


def _steps(rungs: Rungs, setting: str) -> list[Finding]:
    """From each rung of a ladder to the next."""
    return [
        finding(
            f"displacement grows from {low} to {high}",
            "grows",
            setting,
            rungs[high]("displacement").minus(rungs[low]("displacement")),
            least=0.0,
        )
        for low, high in itertools.pairwise(rungs)
    ]


def _ends(rungs: Rungs, setting: str) -> list[Finding]:
    """The hardest rung against the easiest."""
    easiest, *_, hardest = rungs.values()
    distance, speed, entropy = "displacement", "mean_speed", "entropy_change"
    ratios = (
        ("displacement", "10.5 (135.0 / 12.8)", hardest(distance).over(easiest(distance)), 4.0),
        ("encoding speed", "nearly 3", hardest(speed).over(easiest(speed)), 2.0),
    )
    return [
        *(
            finding(f"{name}, hardest over easiest", paper, setting, e, least=least)
            for name, paper, e, least in ratios
        ),
        finding("change of entropy, hardest", "+4.20 (CINIC-10)", setting, hardest(entropy).estimate),
        finding("change of entropy, easiest", "-0.08 (MNIST)", setting, easiest(entropy).estimate),
        finding(
            "change of entropy grows with hardness",
            "grows",
            setting,
            hardest(entropy).minus(easiest(entropy)),
            least=0.0,
        ),
    ]


def _as_measured(rungs: Rungs, setting: str) -> list[Finding]:
    """Each rung by itself: displacement, and whether the models fitted their members at all."""
    rows: list[Finding] = []
    for level, rung in rungs.items():
        paper = _paper_displacement(level)
        rows += [
            finding(f"displacement x 1000, {level}", paper, setting, rung("displacement_x1000").estimate),
            finding(f"train accuracy, {level}", "none", setting, rung("train_accuracy").share),
        ]
    return rows


def _capacity(parts: Parts) -> list[Finding]:
    """More capacity: farther."""
    setting = f"digits, noise {LOUD}"
    wide = measured(parts["noise"], "displacement", input_noise=LOUD)
    rows = [
        finding(
            f"displacement, MLP 128-128 over {name}",
            "more than 3 (WRN28-2 over shallow CNN)",
            setting,
            wide.over(measured(parts["capacity"], "displacement", model=model)),
            least=bound,
        )
        for name, model, bound in (("MLP 16-16", "mlp-16-16-relu", 2.0), ("linear", "linear", 2.5))
    ]
    if "depth" in parts:
        deep = measured(parts["depth"], "displacement", model=DEPTHS[-1])
        rows += [
            finding(
                f"displacement, {DEPTHS[-1]} over {model}",
                "more than 3 (WRN28-2 over shallow CNN)",
                "CIFAR-10 subset",
                deep.over(measured(parts["depth"], "displacement", model=model)),
                least=1.0,
            )
            for model in DEPTHS[:-1]
        ]
    return rows


CONFLICT = (
    "arXiv 2310.00488 finds SAM more exposed than SGD at the end. Rate and final risk are different "
    "questions: never gate a release on the optimizer's rate."
)


def _optimizers(parts: Parts) -> list[Finding]:
    """SAM and Adam against SGD: the rate, and what it ends in."""
    setting = f"digits, noise {LOUD}, MLP"
    rows: list[Finding] = []
    sgd = _of(parts["noise"], input_noise=LOUD)
    for rho in (0.05, 0.2):
        sam = _of(parts["sam"], rho=rho)
        rows += [
            finding(
                f"peak hazard, SAM {rho} over SGD",
                "0.33 (0.9 % / 2.7 %)",
                setting,
                sam("peak_hazard").over(sgd("peak_hazard")),
                most=1.0,
                note=CONFLICT,
            ),
            finding(
                f"peak signed speed, SAM {rho} less SGD",
                "none",
                setting,
                sam("peak_signed_speed").minus(sgd("peak_signed_speed")),
            ),
            finding(
                f"half-time in epochs, SAM {rho} less SGD",
                "none",
                setting,
                sam("half_time").minus(sgd("half_time")),
            ),
            finding(
                f"final AUC, SAM {rho} less SGD",
                "above 0 (arXiv 2310.00488), below 0 if SAM protects",
                setting,
                sam("auc").minus(sgd("auc")),
                most=0.0,
                note=CONFLICT,
            ),
        ]
    adam = _of(parts["adam"])
    rows += [
        finding(
            "half-time in epochs, Adam less SGD", "none", setting, adam("half_time").minus(sgd("half_time"))
        ),
        finding("final AUC, Adam less SGD", "none", setting, adam("auc").minus(sgd("auc"))),
    ]
    return rows


def _early(parts: Parts) -> list[Finding]:
    """Much is decided early."""
    rows: list[Finding] = []
    cells: list[tuple[str, str, dict[str, object], float | None]] = []
    for noise in NOISE:
        cells.append(("noise", f"digits, noise {noise}, MLP", {"input_noise": noise}, 0.7 if noise else None))
    if "images" in parts:
        for name in IMAGES[1:]:
            cells.append(("images", f"{name}, MLP", {"dataset": name}, 0.7))
    if "depth" in parts:
        cells.append(("depth", f"CIFAR-10 subset, {DEPTHS[-1]}", {"model": DEPTHS[-1]}, 0.7))
    for part, data, levels, bound in cells:
        of = _of(parts[part], **levels)
        half = of("half_time").estimate.value
        setting = (
            f"{data}; half-time {'unknown' if half is None else f'{half:.0f}'} of {_epochs(parts[part])}"
        )
        rows += [
            finding(
                "finally vulnerable known at 30 % of training",
                "about 70 % by epoch 150",
                setting,
                of("early_recall").share,
                least=bound,
            ),
            finding("precision at 30 % of training", "none", setting, of("early_precision").share),
        ]
    return rows


HARDNESS = ("epoch_learned", "inconsistency", "memorization", "prediction_depth")


def _hardness(parts: Parts) -> list[Finding]:
    """Hard records are the exposed ones; hardness and exposure on disjoint halves of the models."""
    return [
        finding(
            f"rank correlation of {measure.replace('_', ' ')} with advantage",
            "a correlation, no figure",
            f"digits, noise {noise}, MLP",
            _association(parts["noise"], measure, noise),
            least=0.0,
        )
        for noise in NOISE
        for measure in HARDNESS
    ]


def _mislabelled(parts: Parts) -> list[Finding]:
    """Wrong labels are remembered."""
    gaps: list[float] = []
    for cell in parts["labels"].cells:
        table = pd.read_parquet(cell.folder / "samples.parquet")
        wrong = table["mislabelled"].to_numpy(bool)
        advantage = table["vulnerability"].to_numpy(float)
        gaps.append(float(advantage[wrong].mean() - advantage[~wrong].mean()))
    found = Measured(np.array(gaps), np.full(len(gaps), np.nan)).estimate
    setting = "digits, 20 % of labels wrong, MLP"
    return [finding("mean advantage, mislabelled less others", "none", setting, found, least=0.5)]


def _second_attack(parts: Parts) -> list[Finding]:
    """The same models under another attack: not an artifact of the likelihood ratio."""
    by_noise: dict[float, list[float]] = {noise: [] for noise in NOISE}
    recalls: list[float] = []
    for cell in parts["noise"].cells:
        motion = moved(cell.folder, SECOND_ATTACK, replicates=2)
        noise = float(dict(cell.levels)["input_noise"])
        by_noise[noise].append(float(motion.at["displacement"][0, -1]))
        if noise == LOUD:
            early = int(np.searchsorted(motion.epochs, 0.3 * motion.epochs[-1] + 1e-9, side="right")) - 1
            recalls.append(float(motion.at["recall"][0, early]))
    found = {noise: Measured(np.array(v), np.full(len(v), np.nan)) for noise, v in by_noise.items()}
    setting = f"digits, {SECOND_ATTACK}"
    rows = [
        finding(
            f"displacement grows from noise {low} to {high}",
            "holds with a second attack",
            setting,
            found[high].minus(found[low]),
            least=0.0,
        )
        for low, high in itertools.pairwise(NOISE)
    ]
    early = Measured(np.array(recalls), np.full(len(recalls), np.nan)).share
    rows.append(
        finding(
            "finally vulnerable known at 30 % of training",
            "the same",
            f"{setting}, noise {LOUD}",
            early,
            least=0.7,
        )
    )
    return rows


def _epochs(comparison: Comparison) -> int:
    """How many epochs the cells were trained."""
    found = comparison.cells[0].result.dynamics
    return int(found.curves[0].epochs[-1]) if found else 0


def _of(comparison: Comparison, **levels: object) -> Callable[[str], Measured]:
    return lambda metric: measured(comparison, metric, **levels)


def _association(comparison: Comparison, measure: str, noise: float) -> Estimate:
    values: list[float] = []
    for cell in comparison.cells:
        found = cell.result.dynamics
        if dict(cell.levels)["input_noise"] == noise and found:
            values += [
                a.rank_correlation.value if a.rank_correlation.value is not None else np.nan
                for a in found.associations
                if (a.measure, a.outcome) == (measure, "final_advantage")
            ]
    return Measured(np.array(values), np.full(len(values), np.nan)).estimate


def _paper_displacement(level: str) -> str:
    return {"mnist": "12.8", "cifar10": "below 135.0 (CINIC-10)"}.get(level, "none")


FINDINGS: tuple[tuple[tuple[str, ...], Callable[[Parts], list[Finding]]], ...] = (
    (("noise",), _ladder),
    (("noise", "capacity"), _capacity),
    (("noise", "sam", "adam"), _optimizers),
    (("noise",), _early),
    (("noise",), _hardness),
    (("labels",), _mislabelled),
    (("noise",), _second_attack),
    (("noise",), foretold),
)
