"""Privacy risk and generalization decoupled (Fang and Kim 2026, arXiv 2602.02296): the claims, tested.

Of the paper the claims only were at hand, no algorithm and no figure. What is tested is a reconstruction:
regions of a network that learn from a defense while the rest learns from plain cross-entropy.
"""

from vestige.audits.step import Listener, silent
from vestige.core.files import write_text
from vestige.studies.finding import Finding
from vestige.studies.part import Settings, comparison
from vestige.studies.pptp_claims import CLAIMS, COLUMNS
from vestige.studies.pptp_parts import parts
from vestige.studies.pptp_regions import MAPPED, mapped, region_claims, region_table
from vestige.studies.regularization_figures import figures

TITLE = "Privacy risk and generalization in different regions of a network"


def study(settings: Settings, listener: Listener = silent) -> tuple[Finding, ...]:
    """Run what is missing of the study, write each part's figures beside it, and give its table."""
    rows: list[Finding] = []
    for name, part in parts(settings).items():
        found = comparison(settings, name, part, listener)
        write_text(found.folder / "figures.md", figures(found.summary, COLUMNS))
        rows += CLAIMS[name](found)
        if name in MAPPED:
            regions = mapped(settings, name, part, listener)
            write_text(found.folder / "regions.md", region_table(regions))
            rows += region_claims(regions, MAPPED[name])
    return tuple(rows)
