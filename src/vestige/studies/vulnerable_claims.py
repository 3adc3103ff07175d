"""What the study of vulnerable samples asks of its comparisons and explanations, claim by claim."""

from collections.abc import Callable

import numpy as np

from vestige.designs.protection import Protection
from vestige.report.explanation_page import ExplanationPage
from vestige.risk.estimate import Estimate
from vestige.studies.finding import Finding, Measured, finding
from vestige.studies.regularization_claims import value
from vestige.studies.regularization_figures import Columns

AUC, ADVANTAGE, LOW_TPR = ("loss", "auc"), ("loss", "advantage"), ("loss", "tpr@0.01")
LIRA = ("lira-online-fixed", "tpr@0.01")
TRAIN, TEST = ("utility", "train_accuracy"), ("utility", "test_accuracy")
LIRA_ATTACK = LIRA[0]
COLUMNS: Columns = (
    ("train accuracy", TRAIN),
    ("test accuracy", TEST),
    ("time", ("utility", "time_ratio")),
    ("loss AUC", AUC),
    ("loss advantage", ADVANTAGE),
    ("LiRA TPR at 1 %", LIRA),
    ("LiRA TPR at 0.1 %", (LIRA_ATTACK, "tpr@0.001")),
    ("LiRA, undone, at 1 %", ("lira-inversion", "tpr@0.01")),
    ("LiRA, undone by estimate, at 1 %", ("lira-inversion-estimated", "tpr@0.01")),
    ("treated members at 1 %", (LIRA_ATTACK, "tpr@0.01_treated")),
    ("others at 1 %", (LIRA_ATTACK, "tpr@0.01_untreated")),
    ("others before", (LIRA_ATTACK, "tpr@0.01_untreated_before")),
)
LOSS_RANGE = "Interquartile range of the loss over training"
REWEIGHTED = "logit_reweighting:0.1"
# Pollock et al. 2024 on the range of losses: WRN28-2, 256 references
TOP = {0.01: ("1 %", ".92"), 0.05: ("5 %", ".76"), 0.1: ("10 %", ".60")}


def gap(found: Protection, defense: str) -> Measured:
    """Train less test accuracy, one value per seed."""
    train, test = value(found, defense, TRAIN), value(found, defense, TEST)
    return Measured(train.values - test.values, np.hypot(train.errors, test.errors))


def _reweighting(setting: str) -> Callable[[Protection], list[Finding]]:
    """What pulling logits to the mean of their class leaves of the attack."""
    claim = "logit reweighting"

    def left_of_the_loss(found: Protection) -> list[Finding]:
        left, of_gap = value(found, REWEIGHTED, AUC), gap(found, REWEIGHTED)
        predicted = left.minus(Measured(0.5 + of_gap.values / 2, of_gap.errors / 2))
        less = left.minus(value(found, "none", AUC))
        advantage = value(found, REWEIGHTED, ADVANTAGE).minus(of_gap)
        accuracy = value(found, REWEIGHTED, TEST).minus(value(found, "none", TEST))
        by_gap, paper = f"{claim}: AUC less (50 % + gap/2)", "11.9 against a gap of 12.1"
        return [
            finding(f"{claim}: loss AUC less that of none", "56.0 against 60.3", setting, less),
            finding(by_gap, "predicts its table", setting, predicted, least=-0.025),
            finding(by_gap, "predicts its table", setting, predicted, most=0.025),
            finding(f"{claim}: advantage less gap", paper, setting, advantage, least=-0.01),
            finding(f"{claim}: test accuracy less that of none", "unchanged", setting, accuracy, least=-1e-6),
        ]

    def left_of_the_ratio(found: Protection) -> list[Finding]:
        lira = value(found, REWEIGHTED, LIRA)
        lost = lira.minus(value(found, "none", LIRA))
        back = value(found, REWEIGHTED, ("lira-inversion", "tpr@0.01")).minus(lira)
        return [
            finding(f"{claim}: LiRA TPR at 1 % less that of none", "none", setting, lost),
            finding(f"{claim}: LiRA TPR at 1 % after inversion less before it", "none", setting, back),
        ]

    return lambda found: [*left_of_the_loss(found), *left_of_the_ratio(found)]


def _digits(found: Protection) -> list[Finding]:
    none, setting = value(found, "none", AUC), "digits, 300 members"
    smoothed = value(found, "label_smoothing:0.1", AUC).minus(none)
    decayed = value(found, "weight_decay:0.005", ADVANTAGE).minus(value(found, "none", ADVANTAGE))
    return [
        finding("loss AUC without a defense", "60.3 on all of CIFAR-10", setting, none.estimate),
        finding(
            "label smoothing 0.1: loss AUC less that of none",
            "67.3 against 60.3",
            setting,
            smoothed,
            least=0.015,
        ),
        finding(
            "weight decay 5e-3: advantage less that of none", "0.8 against 22.1", setting, decayed, most=-0.02
        ),
        finding(
            "TPR at 1 % FPR of one loss threshold",
            "1.0 %",
            setting,
            value(found, "none", LOW_TPR).estimate,
            most=0.03,
        ),
        *_reweighting(setting)(found),
        *_untreated(setting, "pre_identification:0.1/action=drop", found),
    ]


def _wrong_labels(found: Protection) -> list[Finding]:
    setting, none = "digits, 300 members, 20 % of labels wrong", value(found, "none", AUC)
    differences = {
        "logit reweighting": (REWEIGHTED, "none; a large gap leaves nothing to hide"),
        "label smoothing 0.1": ("label_smoothing:0.1", "67.3 against 60.3"),
        "stopping at 50": ("early_stopping:50", "60.2 against 60.3"),
    }
    return [
        finding("loss AUC without a defense", "none", setting, none.estimate),
        *(
            finding(
                f"{name}: loss AUC less that of none", paper, setting, value(found, defense, AUC).minus(none)
            )
            for name, (defense, paper) in differences.items()
        ),
        *_untreated(setting, "pre_identification:0.2/action=drop", found),
        *_untreated(setting, "pre_identification:0.2/action=relabel", found),
    ]


def _untreated(setting: str, defense: str, found: Protection) -> list[Finding]:
    """The onion effect: whether members that were not treated become more exposed."""
    rows: list[Finding] = []
    for who in ("treated", "untreated"):
        after = value(found, defense, ("lira-online-fixed", f"tpr@0.01_{who}"))
        before = value(found, defense, ("lira-online-fixed", f"tpr@0.01_{who}_before"))
        claim = f"{defense}: LiRA TPR at 1 % of members {who}, after less before"
        rows.append(finding(claim, "none", setting, after.minus(before)))
    return rows


def _defenses(setting: str) -> Callable[[Protection], list[Finding]]:
    """AUC of one loss threshold and LiRA's TPR under each defense less that under none."""

    def rows(found: Protection) -> list[Finding]:
        auc, lira = value(found, "none", AUC), value(found, "none", LIRA)
        table = [
            finding("loss AUC without a defense", "60.3 on all of CIFAR-10", setting, auc.estimate),
            finding("LiRA TPR at 1 % without a defense", "none", setting, lira.estimate),
        ]
        for defense in found.defenses[1:]:
            less = value(found, defense, AUC).minus(auc)
            table.append(finding(f"{defense}: loss AUC less that of none", "–", setting, less))
        return [*table, *_reweighting(setting)(found)]

    return rows


def _sets(setting: str, *, wrong_labels: bool = False) -> Callable[[ExplanationPage], list[Finding]]:
    """Who is named by each rule, and where these members lie."""

    def rows(page: ExplanationPage) -> list[Finding]:
        found = {rule.key: rule for rule in page.rules}
        places = {difference.rule: dict(difference.percentiles) for difference in page.differences}
        table = [
            finding(
                f"{rule.title}: members named over chance",
                "1.04 of one threshold",
                setting,
                rule.sets.times_chance(),
            )
            for rule in page.rules
        ]
        asked = {"lira": (0.75, None), "reference": (None, None), "global": (None, 0.5)}
        for key, rule in found.items():
            least, most = asked[key]
            place = places[rule.title].get(
                "Distance to its class", Estimate(value=None, note="Nobody named.")
            )
            claim = f"{rule.title}: place of its members' distance to their class, 0 to 1"
            table.append(finding(claim, "far from their class", setting, place, least=least, most=most))
        if wrong_labels:
            table += [
                finding(
                    f"{rule.title}: share of its members with a wrong label",
                    "none",
                    setting,
                    rule.mislabelled,
                    least=least,
                )
                for rule, least in ((found["lira"], 0.4), (found["global"], None))
                if rule.mislabelled is not None
            ]
        return [*table, *_rankings(page, setting)]

    return rows


def _rankings(page: ExplanationPage, setting: str) -> list[Finding]:
    """What cheap rankings find of those whom LiRA names at 0.1 %."""
    return [
        finding(
            f"{ranking.title}: precision of the top {TOP[top.share][0]} against LiRA at 0.1 %",
            TOP[top.share][1] if ranking.title == LOSS_RANGE else "none",
            setting,
            top.precision,
        )
        for ranking in page.rankings
        for top in ranking.top
    ]


DEFENSE_CLAIMS: dict[str, Callable[[Protection], list[Finding]]] = {
    "digits": _digits,
    "wrong labels": _wrong_labels,
    "location30": _defenses("Location30, 1,500 members"),
    "cifar10": _defenses("CIFAR-10, 5,000 members, convnet"),
}
SET_CLAIMS: dict[str, Callable[[ExplanationPage], list[Finding]]] = {
    "digits sets": _sets("digits, 64 models"),
    "wrong label sets": _sets("digits, 64 models, 5 % of labels wrong", wrong_labels=True),
    "location30 sets": _sets("Location30, 64 models"),
    "cifar10 sets": _sets("CIFAR-10, 64 models"),
}
