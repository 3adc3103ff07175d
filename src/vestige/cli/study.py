"""`vestige study`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from vestige.cli.audit import split
from vestige.core.errors import InputError, unknown_name

STUDIES = ("dynamics", "information", "regularization", "vulnerable-samples")


def study(
    name: Annotated[str, typer.Argument(help="dynamics, information, regularization or vulnerable-samples")],
    out: Annotated[Path | None, typer.Option(help="folder; default vestige-runs/study-NAME")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="folder of official data files", envvar="VESTIGE_DATA")
    ] = None,
    part: Annotated[
        list[str] | None, typer.Option(help="only this part (may repeat): noise, capacity, size, ...")
    ] = None,
    seeds: Annotated[int, typer.Option(help="repetitions")] = 3,
    models: Annotated[int | None, typer.Option(help="per cell; default that of the study")] = None,
    jobs: Annotated[int | None, typer.Option(help="worker processes; default one per core")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="show no progress")] = False,
) -> None:
    """Run a paper's claims again and print a table: claim, paper's figure, ours with interval, verdict."""
    from vestige.cli.progress import display
    from vestige.core import check
    from vestige.studies import dynamics, information, regularization, table, vulnerable_samples

    if name not in STUDIES:
        raise unknown_name("study", name, STUDIES)
    check.at_least("seeds", seeds, 1)
    folder = out or Path("vestige-runs") / f"study-{name}"
    common: dict[str, Any] = {"out": folder, "data_dir": data_dir, "jobs": jobs, "parts": split(part)}
    if models is not None:
        common["models"] = models
    with display(quiet) as listener:
        if name == "dynamics":
            one = dynamics.Settings(**common, seeds=tuple(range(1, seeds + 1)))
            title, findings = dynamics.TITLE, dynamics.study(one, listener)
        elif name == "information":
            if models is not None:
                raise InputError(
                    f"models={models}: the study of information trains no populations; leave out"
                )
            told = information.Settings(out=folder, data_dir=data_dir, seeds=seeds, parts=common["parts"])
            title, findings = information.TITLE, information.study(told, listener)
        elif name == "regularization":
            other = regularization.Settings(**common, seeds=seeds)
            title, findings = regularization.TITLE, regularization.study(other, listener)
        else:
            wanted = vulnerable_samples.Settings(**common, seeds=seeds)
            title, findings = vulnerable_samples.TITLE, vulnerable_samples.study(wanted, listener)
    path = table.write(findings, title, folder)
    typer.echo(table.markdown(findings))
    typer.echo(f"Table: {path}")
