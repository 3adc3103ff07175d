"""`vestige attacks`."""

import typer
from rich.console import Console
from rich.table import Table


def list_attacks() -> None:
    """List the attacks, what each computes, and its paper; a star marks the default set."""
    from vestige.attacks.catalog import ATTACKS, DEFAULT_SET

    table = Table("attack", "what it computes", "paper", box=None, header_style="bold")
    for name, attack in ATTACKS.items():
        star = " *" if name in DEFAULT_SET else ""
        table.add_row(f"{name}{star}", attack.describe(), attack.paper)
    Console(width=None if Console().is_terminal else 160).print(table)
    typer.echo("* run by default; the first of --attack is the headline")
