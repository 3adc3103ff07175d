"""The map of regions of each network in the study of decoupling."""

from dataclasses import replace

import numpy as np

from vestige.audits.step import Listener, silent
from vestige.localization.localization import ROUTING, WEIGHTS, Localization
from vestige.localization.localize import run
from vestige.localization.request import Request
from vestige.risk.estimate import Estimate
from vestige.stats.ranks import spearman
from vestige.studies.finding import Finding, finding
from vestige.studies.part import Part, Settings, options_of

MAPPED = {
    "location30": "Location30, MLP",
    "fashion": "Fashion-MNIST, MLP",
    "cifar10": "CIFAR-10, convnet",
    "cifar10 resnet": "CIFAR-10, WRN-10-1",
}
APART = "risk and generalization lie in different regions"


def mapped(settings: Settings, name: str, part: Part, listener: Listener = silent) -> Localization:
    """Where risk and generalization lie in the network of a part, by every probe, under its first seed."""
    base = options_of(settings, name, part)
    assert base.out is not None
    return run(Request(base=replace(base, out=base.out.with_name(f"{base.out.name}-regions"))), listener)


def region_claims(found: Localization, setting: str) -> list[Finding]:
    """Whether the region with most risk lowers AUC for certain, and whether risk and generalization part."""
    values = found.values(ROUTING, "privacy")
    risky = found.names[int(np.nanargmax(values))]
    rows = [
        finding(
            f"LiRA AUC that {found.defense} in {risky} alone saves, the most of {len(found.names)} regions",
            APART,
            setting,
            found.estimate(ROUTING, risky, "privacy"),
            least=0.0,
            note=f"The region was chosen by this figure. {found.sentence}",
        )
    ]
    for probe in found.probes:
        together = spearman(found.values(probe, "privacy"), found.values(probe, "generalization"))
        claim = f"rank correlation of privacy and generalization over regions, by {probe}"
        rows.append(finding(claim, APART, setting, Estimate(value=together, note="no interval: few regions")))
    return rows


def region_table(found: Localization) -> str:
    """One line per region, two columns per probe: what of privacy and of generalization lies there.

    Differences of AUC and accuracy; by weight scores means per parameter over the network's mean.
    """
    figures = [(probe, metric) for probe in found.probes for metric in ("privacy", "generalization")]
    lines: list[tuple[str, ...]] = [
        ("region", "parameters", *(f"{_titled(probe)}: {metric}" for probe, metric in figures))
    ]
    lines.append(("---",) * len(lines[0]))
    for region in found.regions:
        cells = (_shown(found.estimate(probe, region.name, metric)) for probe, metric in figures)
        lines.append((f"`{region.name}`", f"{region.parameters:,}", *cells))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _titled(probe: str) -> str:
    return f"{probe} per parameter, 1 = the network's mean" if probe == WEIGHTS else probe


def _shown(estimate: Estimate) -> str:
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:+.3f}"
    return f"{estimate.value:+.3f} ± {(estimate.high - estimate.low) / 2:.3f}"
