"""What the study of decoupling asks of its comparisons, claim by claim."""

from collections.abc import Callable
from functools import partial

from vestige.designs.protection import Protection
from vestige.studies.finding import Finding, finding
from vestige.studies.matched import SEVERAL, TPR, Matched, matched
from vestige.studies.regularization_claims import ACCURACY, value
from vestige.studies.regularization_figures import Columns

Claims = Callable[[Protection], list[Finding]]
AUC = ("lira-online-fixed", "auc")
SMOOTHING, RELAXED = "label_smoothing:0.3", "relax_loss:0.5"
COLUMNS: Columns = (
    ("train accuracy", ("utility", "train_accuracy")),
    ("test accuracy", ACCURACY),
    ("time", ("utility", "time_ratio")),
    ("loss AUC", ("loss", "auc")),
    ("LiRA AUC", AUC),
    ("LiRA TPR at 1 %", TPR),
    ("LiRA TPR at 0.1 %", ("lira-online-fixed", "tpr@0.001")),
)
APART = "risk and generalization lie in different regions"
KEEPS = "protecting the risky regions keeps generalization"


def _routed(defense: str, words: str) -> str:
    return f"pptp:{defense}/protect={words}"


def _digits(setting: str, found: Protection) -> list[Finding]:
    """The same defense in different regions of a perceptron."""
    back, front = _routed(SMOOTHING, "back"), _routed(SMOOTHING, "front")
    relaxed = _routed(RELAXED, "back")
    return [
        _less(found, back, SMOOTHING, AUC, setting, APART, most=-0.05),
        _less(found, back, SMOOTHING, ACCURACY, setting, KEEPS, least=-0.01),
        _less(found, back, "none", AUC, setting, APART, most=0.0),
        _less(found, back, "none", ACCURACY, setting, KEEPS, least=-0.01),
        _less(found, front, back, ACCURACY, setting, APART, most=-0.05),
        _less(found, front, back, AUC, setting, APART),
        _less(found, relaxed, RELAXED, AUC, setting, APART, most=-0.02),
        _less(found, relaxed, RELAXED, ACCURACY, setting, KEEPS, least=-0.03),
        *_selected(found, setting),
        *_two_phases(found, setting),
    ]


def _selected(found: Protection, setting: str) -> list[Finding]:
    """The regions chosen on reference data, judged on samples that had no part in it."""
    rows: list[Finding] = []
    for defense in (SMOOTHING, RELAXED):
        auto = _routed(defense, "auto")
        rows += [
            _less(found, auto, "none", ACCURACY, setting, KEEPS, least=-0.01),
            _less(found, auto, "none", AUC, setting, KEEPS, most=0.0),
            _less(found, auto, defense, AUC, setting, KEEPS, most=0.0),
        ]
    return rows


def _two_phases(found: Protection, setting: str) -> list[Finding]:
    """Retraining the regions beside a frozen rest, against routing."""
    rows: list[Finding] = []
    for defense in (SMOOTHING, RELAXED):
        routed = _routed(defense, "back")
        again = f"{routed}/phase=two_phase"
        rows += [_less(found, again, routed, metric, setting, "none") for metric in (AUC, ACCURACY)]
    return rows


def _images(setting: str, found: Protection) -> list[Finding]:
    """The same in a convolutional network."""
    head = _routed(SMOOTHING, "head")
    return [
        _less(found, head, SMOOTHING, AUC, setting, APART, most=0.0),
        _less(found, head, SMOOTHING, ACCURACY, setting, KEEPS, least=-0.01),
        _less(found, _routed(SMOOTHING, "..stage2"), SMOOTHING, AUC, setting, APART),
        _less(found, _routed(RELAXED, "head"), RELAXED, AUC, setting, APART),
        _less(found, _routed(RELAXED, "head"), RELAXED, ACCURACY, setting, KEEPS),
    ]


def _less(
    found: Protection,
    defense: str,
    other: str,
    metric: tuple[str, str],
    setting: str,
    paper: str,
    *,
    least: float | None = None,
    most: float | None = None,
) -> Finding:
    """A figure of one defense less that of another, seed by seed."""
    name = {AUC: "LiRA AUC", ACCURACY: "test accuracy"}[metric]
    ours = value(found, defense, metric).minus(value(found, other, metric))
    return finding(f"{name}, {defense} less {other}", paper, setting, ours, least=least, most=most)


def _swept(setting: str, found: Protection) -> list[Finding]:
    """At equal accuracy, each defense in regions against itself everywhere, or none."""
    names = [name for name in found.defenses if name not in {defense for defense, _ in found.failures}]
    families = dict.fromkeys(
        name.partition(":")[0] for name in names if not name.startswith(("pptp", "none"))
    )
    return [row for family in families for row in _family(found, names, family, setting)]


def _family(found: Protection, names: list[str], family: str, setting: str) -> list[Finding]:
    everywhere = ["none", *(name for name in names if name.startswith(f"{family}:"))]
    in_regions = [name for name in names if name.startswith(f"pptp:{family}:")]
    return [
        row
        for metrics, attacks in (((TPR,), "LiRA"), (SEVERAL, "the strongest of LiRA, adaptive LiRA and RMIA"))
        for row in _against(matched(found, everywhere, in_regions, metrics), family, attacks, setting)
    ]


def _against(several: tuple[Matched, ...], family: str, attacks: str, setting: str) -> list[Finding]:
    rows: list[Finding] = []
    for one in several:
        lost = one.lost.estimate.value or 0.0
        note = f"Chosen on other seeds: {', '.join(dict.fromkeys(one.in_regions))}; accuracy {-lost:+.3f}."
        rows.append(
            finding(
                f"{family} in regions over {one.everywhere}: TPR at 1 % of {attacks}, at equal accuracy",
                KEEPS,
                setting,
                one.ratio.estimate,
                most=0.75,
                note=note if lost <= 0.005 else f"{note} No setting in regions reaches that accuracy.",
            )
        )
    return rows


CLAIMS: dict[str, Claims] = {
    "noisy digits": partial(_digits, "digits in noise, MLP"),
    "wrong labels": partial(_digits, "digits, 20 % of labels wrong, MLP"),
    "digit images": partial(_images, "digits, 20 % of labels wrong, convnet"),
    "location30": partial(_swept, "Location30, MLP"),
    "fashion": partial(_swept, "Fashion-MNIST, MLP"),
    "cifar10": partial(_swept, "CIFAR-10, convnet"),
    "cifar10 resnet": partial(_swept, "CIFAR-10, WRN-16-1"),
}
