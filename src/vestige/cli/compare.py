"""`vestige compare`."""

from typing import Annotated, Any

import typer
from rich.console import Console

from vestige.cli.audit import options_from
from vestige.cli.like_audit import like_audit

DEFENSE = (
    "a defense with its parameter, such as label_smoothing:0.1 or random_crop:4+dropout:0.3 (may repeat)"
)


@like_audit(
    defense=(Annotated[list[str] | None, typer.Option(help=DEFENSE)], None),
    seeds=(Annotated[int, typer.Option(help="repetitions; each draws coins that all defenses share")], 3),
    distance=(
        Annotated[bool, typer.Option(help="measure the distance to confident, the slowest part")],
        True,
    ),
    labels=(
        Annotated[bool, typer.Option(help="measure the attack on predicted classes alone, slow on images")],
        True,
    ),
)
def compare(
    defense: list[str] | None = None,
    seeds: int = 3,
    distance: bool = True,
    labels: bool = True,
    quiet: bool = False,
    **given: Any,
) -> None:
    """Measure what defenses protect, and at what price: use, attacks, worst case, distance to confident.

    Takes every option of `vestige audit`. Without a defense is always measured too. Every defense is
    attacked with references that were trained with the same defense, on the same coins.
    """
    from vestige.cli.progress import display
    from vestige.designs.compare import design_of, run
    from vestige.designs.measurement import Measures
    from vestige.report.terminal import protection_table

    design = design_of(options_from(given), tuple(defense or ()), seeds)
    with display(quiet) as listener:
        found = run(design, Measures(distance, labels), listener)
    console = Console(highlight=False, width=None if Console().is_terminal else 160)
    console.print(protection_table(found.summary))
    for row in found.summary:
        for note in row.notes:
            console.print(f"{row.name}: {note}", markup=False, soft_wrap=True)
    for (name, seed), why in found.failures.items():
        console.print(f"Failed: {name}, seed {seed}: {why}", style="red", markup=False, soft_wrap=True)
    console.print(f"Report: {found.report}", soft_wrap=True)
