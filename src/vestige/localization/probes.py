"""Each probe's figures as rows."""

from collections.abc import Iterable, Iterator, Mapping

from vestige.designs.target_figures import METRICS, TargetFigures
from vestige.localization.localization import RETRAINING, REWINDING, ROUTING, WEIGHTS, RegionRow
from vestige.localization.populations import RETRAINED
from vestige.localization.rewinding import WHOLE
from vestige.localization.weights import RegionScores
from vestige.models.protected import NONE


def rewinding_rows(found: Mapping[tuple[str, int], TargetFigures]) -> Iterator[RegionRow]:
    """What the models as they are have and those with a region set back have not, by epoch."""
    whole = found[WHOLE, 0]
    for (region, epoch), one in sorted(found.items(), key=lambda item: item[0][1]):
        if region:
            yield from _compared(f"{REWINDING} to epoch {epoch}", region, one, whole)


def trained_rows(found: Mapping[str, TargetFigures]) -> Iterator[RegionRow]:
    """What training without the defense has, and training that protects regions has not."""
    plain = found[NONE]
    for name, one in found.items():
        retrained = name.startswith(RETRAINED)
        probe = RETRAINING if retrained else ROUTING
        yield from _compared(probe, name.removeprefix(RETRAINED), one, plain)


def weight_rows(found: RegionScores, names: Iterable[str]) -> Iterator[RegionRow]:
    """The regions' scores per parameter, their shares, and how the two scores of a weight go together."""
    for place, name in enumerate(names):
        for metric, estimate in found.estimates(place).items():
            yield RegionRow(probe=WEIGHTS, words=name, metric=metric, estimate=estimate)


def _compared(probe: str, words: str, one: TargetFigures, plain: TargetFigures) -> Iterator[RegionRow]:
    lost = {
        "privacy": plain.above(one, "auc"),
        "generalization": plain.above(one, "accuracy"),
        "loss_privacy": plain.above(one, "loss_auc"),
    }
    own = {metric: one.mean(metric) for metric in METRICS}
    for metric, estimate in {**lost, **own}.items():
        yield RegionRow(probe=probe, words=words, metric=metric, estimate=estimate)
