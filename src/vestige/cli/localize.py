"""`vestige localize`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from vestige.cli.audit import options_from
from vestige.cli.like_audit import like_audit

DEFENSE = "what regions learn from, such as label_smoothing:0.3 (the default) or relax_loss:0.5"
REGIONS = "a TOML file of regions of your own, such as head = ['fc'] (default: regions are inferred)"
REWIND = "share of training that regions are set back to (may repeat); default 0, 0.05 and 0.15"


@like_audit(
    defense=(Annotated[str | None, typer.Option(help=DEFENSE)], None),
    grain=(Annotated[str, typer.Option(help="of inferred regions: stage or block")], "stage"),
    regions=(Annotated[Path | None, typer.Option(help=REGIONS)], None),
    rewind=(Annotated[list[float] | None, typer.Option(help=REWIND)], None),
)
def localize(
    defense: str | None = None,
    grain: str = "stage",
    regions: Path | None = None,
    rewind: list[float] | None = None,
    quiet: bool = False,
    **given: Any,
) -> None:
    """Find where in a network privacy risk and generalization live, region by region, and draw it.

    Takes every option of `vestige audit` but attack. Four probes: rewinding a region, retraining it beside a
    frozen rest, training it with the defense while the rest learns plainly, and scores of single weights.
    """
    from vestige.cli.progress import display
    from vestige.localization.answer import answer
    from vestige.localization.localize import run
    from vestige.localization.page import probe_maps
    from vestige.localization.request import DEFENSE as USUAL
    from vestige.localization.request import Request, rewinds
    from vestige.report.region_terminal import region_table

    base = options_from(given)
    request = Request(
        base=base, defense=defense or USUAL, grain=grain, rewind=rewinds(rewind), regions=regions
    )
    with display(quiet) as listener:
        found = run(request, listener)
    console = Console(highlight=False, width=None if Console().is_terminal else 160)
    console.print(region_table(found.names, probe_maps(found)))
    for line in answer(found):
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"Report: {found.report}", soft_wrap=True)
