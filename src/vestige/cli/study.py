"""`vestige study`."""

from pathlib import Path
from typing import Annotated

import typer

from vestige.cli.audit import split
from vestige.core.errors import unknown_name

STUDIES = ("dynamics",)


def study(
    name: Annotated[str, typer.Argument(help="dynamics")],
    out: Annotated[Path | None, typer.Option(help="folder; default vestige-runs/study-NAME")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="folder of official data files", envvar="VESTIGE_DATA")
    ] = None,
    part: Annotated[
        list[str] | None, typer.Option(help="only this part (may repeat): noise, labels, capacity, ...")
    ] = None,
    seeds: Annotated[int, typer.Option(help="repetitions")] = 3,
    models: Annotated[int, typer.Option(help="per cell on digits")] = 128,
    image_models: Annotated[int, typer.Option(help="per cell on images")] = 32,
    jobs: Annotated[int | None, typer.Option(help="worker processes; default one per core")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="show no progress")] = False,
) -> None:
    """Run a paper's claims again and print a table: claim, paper's figure, ours with interval, verdict."""
    from vestige.cli.progress import display
    from vestige.core import check
    from vestige.studies import dynamics, table

    if name not in STUDIES:
        raise unknown_name("study", name, STUDIES)
    check.at_least("seeds", seeds, 1)
    settings = dynamics.Settings(
        out=out or Path("vestige-runs") / f"study-{name}",
        data_dir=data_dir,
        seeds=tuple(range(1, seeds + 1)),
        models=models,
        image_models=image_models,
        jobs=jobs,
        parts=split(part),
    )
    with display(quiet) as listener:
        findings = dynamics.study(settings, listener)
    path = table.write(findings, dynamics.TITLE, settings.out)
    typer.echo(table.markdown(findings))
    typer.echo(f"Table: {path}")
