"""A page about three regions of a network, from made-up figures."""

import numpy as np

from vestige.report.region_rows import (
    ProbeMap,
    ProtectionTried,
    RegionBox,
    RegionPage,
    WeightFigures,
)
from vestige.risk.estimate import Estimate, unsupported

NAMES = ("layer1", "layer2", "head")


def estimate(value, half=0.01):
    return Estimate(value=value, low=value - half, high=value + half)


def probe(name, risks, uses, shares=()):
    neutral = 1.0 if shares else 0.0
    return ProbeMap(
        name=name,
        meaning="what it means.",
        privacy=tuple(map(estimate, risks)),
        generalization=tuple(map(estimate, uses)),
        risky=tuple(n for n, risk in zip(NAMES, risks, strict=True) if risk > neutral + 0.01),
        neutral=neutral,
        shares=tuple(map(estimate, shares)),
    )


def tried(words, regions, accuracy, auc):
    return ProtectionTried(
        words=words, regions=regions, accuracy=estimate(accuracy), auc=estimate(auc), tpr=unsupported("few"),
        loss_auc=estimate(0.6), privacy=estimate(0.9 - auc), generalization=estimate(0.8 - accuracy),
    )  # fmt: skip


def page():
    return RegionPage(
        title="Where risk and generalization live: mlp on <b>mine</b>",
        dataset="<b>mine</b>",
        model="mlp",
        defense="label_smoothing:0.3",
        answer=("Most lies in layer2.", "protect=head leaks least."),
        boxes=tuple(
            RegionBox(name=name, parameters=size) for name, size in zip(NAMES, (400, 100, 4), strict=True)
        ),
        probes=(
            probe("Rewinding to epoch 0", (0.1, 0.005, -0.2), (0.0, 0.02, 0.3)),
            probe("Weight scores", (0.4, 1.3, 12.5), (0.5, 1.0, 9.2), (0.6, 0.3, 0.1)),
            probe("Routing", (0.05, 0.15, 0.0), (-0.02, 0.01, 0.0)),
        ),
        tried=(
            tried("none", 0, 0.8, 0.9), tried("all", 3, 0.75, 0.8), tried("layer1", 1, 0.6, 0.85),
            tried("layer2", 1, 0.7, 0.7), tried("head", 1, 0.81, 0.78), tried("layer2..head", 2, 0.8, 0.72),
            tried("layer1..layer2", 2, 0.65, 0.8),
        ),
        suffixes=("none", "head", "layer2..head", "all"),
        prefixes=("none", "layer1", "layer1..layer2", "all"),
        weights=tuple(
            WeightFigures(name=name, share=estimate(0.3), fit_share=estimate(0.4), correlation=estimate(0.9))
            for name in NAMES
        ),
        correlations=np.array([[1.0, 0.5, -0.5], [0.5, 1.0, 0.5], [-0.5, 0.5, 1.0]]),
        kendall=np.array([[1.0, 0.3, np.nan], [0.3, 1.0, 0.3], [np.nan, 0.3, 1.0]]),
        agreement="The probes disagree.",
        caution="The choice was made on the targets that it is judged by.",
        method=("How it was done.",),
        facts=(("Data", "mine"),),
    )  # fmt: skip
