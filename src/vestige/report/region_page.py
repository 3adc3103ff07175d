"""The page that says where in a network privacy risk and generalization live."""

from pathlib import Path

from vestige.core.files import write_text
from vestige.report.defense_table import shown
from vestige.report.markup import bullets, facts, figure, more, paragraph, section, table, text
from vestige.report.region_figures import agreement_figure, protections_figure
from vestige.report.region_map import region_map
from vestige.report.region_rows import ProbeMap, RegionPage
from vestige.report.shell import document
from vestige.risk.estimate import Estimate


def render_regions(page: RegionPage, path: Path) -> Path:
    """Write the page in one step and return its path.

    Raises ValidityError when the text would hold a word that no audit can carry.
    """
    given = (page.dataset, page.model, page.defense, *(box.name for box in page.boxes))
    body = f"<main><h1>{text(page.title)}</h1>{_body(page)}</main>"
    write_text(path, document(page.title, body, given=given, styles=("region.css",)))
    return path


def _body(page: RegionPage) -> str:
    return "".join(
        (
            section(
                "1",
                "Answer",
                *(paragraph(sentence, "claim") for sentence in page.answer),
                paragraph(page.caution),
            ),
            section("2", "Where it lies", *_map(page)),
            section("3", "Where a defense belongs", figure(protections_figure(page)), _protections(page)),
            section("4", "Do the probes agree?", paragraph(page.agreement), *_agreement(page)),
            section("5", "How it was measured", facts(page.facts), bullets(page.method)),
        )
    )


def _map(page: RegionPage) -> list[str]:
    return [
        paragraph(
            "Each column is a region of the network, wider with more parameters (by their square root). Red: "
            "privacy risk; green: accuracy on records that were not trained on. Neutral is 0, and 1 for "
            "weight scores, which are ratios (×). The darker, the larger the region's share of what lies "
            "above neutral. Below 0 there is more of it without the region's part. Bold: the whole 95 % "
            "interval lies on one side of neutral; others are pale: perhaps chance. Framed in red: called "
            "risky, as the whole interval for risk lies above neutral."
        ),
        region_map(page.boxes, page.probes),
        bullets(dict.fromkeys(f"{p.name.partition(' to ')[0]}: {p.meaning}" for p in page.probes)),
        more("All figures with their intervals", *(_figures(page, probe) for probe in page.probes)),
    ]


def _figures(page: RegionPage, probe: ProbeMap) -> str:
    rows = [
        (box.name, f"{box.parameters:,}", shown(risk), shown(use), "risky" if box.name in probe.risky else "")
        for box, risk, use in zip(page.boxes, probe.privacy, probe.generalization, strict=True)
    ]
    header = ("Region", "Parameters", "Privacy risk", "Generalization", "Called")
    return table(probe.name, header, rows, numeric=(1, 2, 3))


def _protections(page: RegionPage) -> str:
    rows = [
        (one.words, *map(shown, (one.accuracy, one.auc, one.privacy)), *map(_value, (one.tpr, one.loss_auc)))
        for one in page.tried
    ]
    header = ("protect=", "Accuracy", "AUC", "AUC below none", "TPR at 1 %", "AUC by loss")
    return table(
        f"{page.defense} in some regions, plain cross-entropy in the rest", header, rows, range(1, 6)
    )


def _value(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{estimate.value:.3f}"


def _agreement(page: RegionPage) -> list[str]:
    rows = [(probe.name, ", ".join(probe.risky) or "none") for probe in page.probes]
    scored = [(one.name, *map(shown, (one.share, one.fit_share, one.correlation))) for one in page.weights]
    header = (
        "Region",
        "Share of the privacy score",
        "Share of plain cross-entropy's",
        "Correlation of the two in single weights",
    )
    return [
        figure(agreement_figure(page)),
        table("Regions that each probe calls risky", ("Probe", "Regions"), rows),
        table("Scores of weights, added up", header, scored, (1, 2, 3)),
    ]
