"""The page of a localization, filled."""

from vestige.audits.audit import recipe_facts
from vestige.localization.answer import CAUTION, answer
from vestige.localization.localization import (
    RETRAINING,
    REWINDING,
    ROUTING,
    WEIGHTS,
    Localization,
    neutral,
)
from vestige.localization.populations import Populations
from vestige.localization.request import Request
from vestige.report.region_rows import ProbeMap, ProtectionTried, RegionBox, RegionPage, WeightFigures
from vestige.risk.estimate import Estimate

MEANINGS = {
    REWINDING: "how much AUC and accuracy the finished models lose when the region alone goes back to its "
    "weights of that epoch.",
    RETRAINING: "how much lower AUC and accuracy are when the region starts anew in the finished model and "
    "learns from the defense, half as long, beside a frozen rest.",
    ROUTING: "how much lower AUC and accuracy are when the region learns from the defense from the start and "
    "the rest from plain cross-entropy.",
    WEIGHTS: "mean |gradient times weight| per parameter over the network's mean (1: like the whole), of the "
    "privacy score and, as fit, of plain cross-entropy; the share below is the region's part of the total of "
    "the privacy score, and mostly follows its size.",
}
METHOD = (
    "Every model is a target in turn and attacked by the others, which were trained, rewound or retrained "
    "like it. AUC is that of the online likelihood-ratio attack with a fixed variance; accuracy is on "
    "non-members. Intervals are 95 % over targets, drawn again in pairs where models are complements.",
    "When a region goes back, so do its buffers; then all statistics of batch normalization are measured "
    "again on the model's own members, in the models as they are too.",
    "The privacy score of a weight mixes, half and half, plain cross-entropy and the divergence of the "
    "answers from those of the initialization on a tenth of the model's own members (arXiv 2603.13186, a "
    "reconstruction). A probe calls a region risky where its whole interval lies above 0; scores of weights "
    "do where it lies above 1, the network's mean. A region is first where its whole interval lies above "
    "those of all others.",
    "Rewinding asks what a finished model loses, routing what training gains. Only the second is what a "
    "defense does, so it decides; the others are cheaper and may rank wrongly.",
    "Training regions apart is a reconstruction: of Fang and Kim 2026 (arXiv 2602.02296) only the claims "
    "were at hand.",
)


def page_of(found: Localization, request: Request, prepared: Populations) -> RegionPage:
    """Everything that the page shows."""
    plan = prepared.plain.plan
    data, model = plan.dataset.name, plan.recipe.model.name
    words = list(found.candidates)
    return RegionPage(
        title=f"Where risk and generalization live: {model} on {data}",
        dataset=data,
        model=model,
        defense=found.defense,
        answer=answer(found),
        boxes=tuple(RegionBox(name=part.name, parameters=part.parameters) for part in found.regions),
        probes=probe_maps(found),
        tried=tuple(_tried(found, one) for one in words),
        suffixes=_growing(found, backward=True),
        prefixes=_growing(found, backward=False),
        weights=tuple(_weights(found, name) for name in found.names),
        correlations=found.agreement.spearman,
        kendall=found.agreement.kendall,
        agreement=found.sentence,
        caution=CAUTION,
        method=(*METHOD, *found.notes),
        facts=_facts(found, request, prepared),
    )


def probe_maps(found: Localization) -> tuple[ProbeMap, ...]:
    """What each probe found, as it is drawn."""
    return tuple(_probe(found, probe) for probe in found.probes)


def _probe(found: Localization, probe: str) -> ProbeMap:
    kind = REWINDING if probe.startswith(REWINDING) else probe
    return ProbeMap(
        name=probe[0].upper() + probe[1:],
        meaning=MEANINGS[kind],
        privacy=tuple(found.estimate(probe, name, "privacy") for name in found.names),
        generalization=tuple(found.estimate(probe, name, "generalization") for name in found.names),
        risky=found.risky(probe),
        neutral=neutral(probe),
        shares=tuple(found.estimate(probe, name, "privacy_share") for name in found.names)
        if kind == WEIGHTS
        else (),
    )


def _tried(found: Localization, words: str) -> ProtectionTried:
    def measured(metric: str) -> Estimate:
        return found.estimate(ROUTING, words, metric)

    return ProtectionTried(
        words=words,
        regions=len(found.candidates[words]),
        accuracy=measured("accuracy"),
        auc=measured("auc"),
        tpr=measured("tpr"),
        loss_auc=measured("loss_auc"),
        privacy=measured("privacy"),
        generalization=measured("generalization"),
    )


def _weights(found: Localization, name: str) -> WeightFigures:
    return WeightFigures(
        name=name,
        share=found.estimate(WEIGHTS, name, "privacy_share"),
        fit_share=found.estimate(WEIGHTS, name, "generalization_share"),
        correlation=found.estimate(WEIGHTS, name, "correlation"),
    )


def _growing(found: Localization, backward: bool) -> tuple[str, ...]:
    """The words from none to all that add one region after the other, from the output or from the input."""
    names, words = found.names, {regions: word for word, regions in found.candidates.items()}
    cuts = range(len(names) + 1)
    return tuple(words[names[len(names) - cut :] if backward else names[:cut]] for cut in cuts)


def _facts(found: Localization, request: Request, prepared: Populations) -> tuple[tuple[str, str], ...]:
    plan = prepared.plain.plan
    recipe = [(fact.name, fact.value) for fact in recipe_facts(prepared.plain)]
    wanted = {"Model", "Loss", "Optimizer", "Epochs", "Batch size", "Engine", "Members per model"}
    costs = [
        (
            f"Cost of {name}",
            f"{value:.2g} s of a processor" if value < 10 else f"{value:.0f} s of a processor",
        )
        for name, value in found.seconds.items()
        if value
    ]
    return (
        ("Data", f"{plan.dataset.name}, {plan.dataset.num_samples} records"),
        ("Defense", found.defense),
        ("Models per population", str(plan.membership.num_models)),
        ("Populations", str(len(prepared.all))),
        ("Seed", str(plan.seed)),
        *(row for row in recipe if row[0] in wanted),
        *costs,
    )
