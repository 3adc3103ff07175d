"""`vestige dynamics`."""

from typing import Annotated, Any

import typer
from rich.console import Console

from vestige.cli.audit import options_from
from vestige.cli.like_audit import like_audit

VARY = "an option and its levels, such as optimizer=sgd,sam,adam,adamw (may repeat; cells are the crossing)"


@like_audit(vary=(Annotated[list[str] | None, typer.Option(help=VARY)], None))
def dynamics(vary: list[str] | None = None, quiet: bool = False, **given: Any) -> None:
    """Audit under varied conditions and compare how membership comes to be encoded over training.

    Takes every option of `vestige audit`; --vary sets one or more of them to several levels. Each cell gets
    a run folder of its own below --out, and comparison.html draws them side by side.
    """
    from vestige.cli.progress import display
    from vestige.designs.design import Design, factor_from
    from vestige.designs.run import python_call, run
    from vestige.report.terminal import comparison_table

    design = Design(options_from(given), tuple(factor_from(text) for text in vary or ()))
    with display(quiet) as listener:
        found = run(design, listener)
    console = Console(highlight=False, width=None if Console().is_terminal else 160)
    console.print(f"Python: {python_call(design)}", markup=False, soft_wrap=True)
    console.print(comparison_table([(cell.name, cell.result) for cell in found.cells]))
    console.print(f"Report: {found.report}", soft_wrap=True)
