"""What the study of decoupling asks of its comparisons, claim by claim."""

from collections.abc import Callable, Sequence
from functools import partial

from vestige.designs.protection import Protection
from vestige.studies.finding import Finding, finding
from vestige.studies.matched import SEVERAL, TPR, Matched, matched
from vestige.studies.pptp_parts import PLACES, PRINCIPLES, RELAXED, SMOOTHING, SWEPT, TRIED_OF, swept, tried
from vestige.studies.regularization_claims import ACCURACY, value
from vestige.studies.regularization_figures import Columns

Claims = Callable[[Protection], list[Finding]]
AUC = ("lira-online-fixed", "auc")
ATTACKS: dict[str, tuple[tuple[str, str], ...]] = {
    "LiRA": (TPR,),
    "the strongest of LiRA, adaptive LiRA and RMIA": SEVERAL,
}
COLUMNS: Columns = (
    ("train accuracy", ("utility", "train_accuracy")),
    ("test accuracy", ACCURACY),
    ("time", ("utility", "time_ratio")),
    ("loss AUC", ("loss", "auc")),
    ("LiRA AUC", AUC),
    ("LiRA TPR at 1 %", TPR),
    ("LiRA TPR at 0.1 %", ("lira-online-fixed", "tpr@0.001")),
    ("adaptive LiRA at 1 %", SEVERAL[1]),
    ("RMIA at 1 %", SEVERAL[2]),
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
    return [row for family in SWEPT for row in _family(found, family, setting)]


def _family(found: Protection, family: str, setting: str) -> list[Finding]:
    everywhere = ("none", *_measured(found, _of(family, swept(SWEPT))))
    in_regions = _measured(found, _of(f"pptp:{family}", swept(SWEPT, PLACES)))
    if not in_regions:
        return []
    return [
        _against(one, f"{family} in regions", attacks, setting)
        for attacks, metrics in ATTACKS.items()
        for one in matched(found, everywhere, in_regions, metrics)
    ]


def _of(start: str, settings: Sequence[str]) -> list[str]:
    return [name for name in settings if name.startswith(f"{start}:")]


def _measured(found: Protection, settings: Sequence[str]) -> tuple[str, ...]:
    """Those of the settings that were measured under every seed."""
    known = set(found.defenses) - {defense for defense, _ in found.failures}
    return tuple(name for name in settings if name in known)


def _principles(setting: str, found: Protection) -> list[Finding]:
    """What else was tried than plain routing, against no defense: how far each got."""
    rows: list[Finding] = []
    for defense in TRIED_OF:
        family = defense.partition(":")[0]
        several: dict[str, Sequence[str]] = {
            "everywhere": _of(family, swept(SWEPT)),
            "in regions": _of(f"pptp:{family}", swept(SWEPT)),
            **{f"in regions by {name}": tried((name,), (defense,)) for name in PRINCIPLES},
        }
        rows += [
            _against(one, f"{family} {how}", attacks, setting)
            for how, settings in several.items()
            if (known := _measured(found, settings))
            for attacks, metrics in ATTACKS.items()
            for one in matched(found, ("none",), known, metrics)
        ]
    return rows


def _against(one: Matched, what: str, attacks: str, setting: str) -> Finding:
    lost = one.lost.estimate.value or 0.0
    note = f"Chosen on other seeds: {', '.join(dict.fromkeys(one.in_regions))}; accuracy {-lost:+.3f}."
    return finding(
        f"{what} over {one.everywhere}: TPR at 1 % of {attacks}, at equal accuracy",
        KEEPS,
        setting,
        one.ratio.estimate,
        most=0.75,
        note=note if lost <= 0.005 else f"{note} No such setting reaches that accuracy.",
    )


def _swept_and_tried(setting: str, found: Protection) -> list[Finding]:
    return [*_swept(setting, found), *_principles(setting, found)]


CLAIMS: dict[str, Claims] = {
    "noisy digits": partial(_digits, "digits in noise, MLP"),
    "wrong labels": partial(_digits, "digits, 20 % of labels wrong, MLP"),
    "digit images": partial(_images, "digits, 20 % of labels wrong, convnet"),
    "location30": partial(_swept_and_tried, "Location30, MLP"),
    "fashion": partial(_swept_and_tried, "Fashion-MNIST, MLP"),
    "cifar10": partial(_swept, "CIFAR-10, convnet"),
    "cifar10 resnet": partial(_swept, "CIFAR-10, WRN-10-1"),
    "cifar10 resnet18": partial(_swept, "CIFAR-10, ResNet-18"),
}
