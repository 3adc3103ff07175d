"""`vestige data`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

data = typer.Typer(help="What data sets there are.", no_args_is_help=True)


@data.callback()
def about() -> None:
    """Data sets that are known by name."""


@data.command("ls")
def ls(
    data_dir: Annotated[
        Path | None, typer.Option(help="folder of official data files", envvar="VESTIGE_DATA")
    ] = None,
) -> None:
    """List the data sets that are known by name, and which are present."""
    from vestige.data import sources

    table = Table("name", "samples", "shape", "classes", "present", "where", box=None, header_style="bold")
    for row in sources.catalog(data_dir):
        shape = "x".join(map(str, row.shape))
        table.add_row(
            row.name, f"{row.samples:,}", shape, str(row.classes), "yes" if row.present else "no", row.where
        )
    Console(width=None if Console().is_terminal else 160).print(table)
