"""`vestige study`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from vestige.cli.audit import split
from vestige.core.errors import InputError, unknown_name

STUDIES = ("dynamics", "information", "regularization", "vulnerable-samples", "pptp", "joint")


def study(
    name: Annotated[
        str, typer.Argument(help="dynamics, information, regularization, vulnerable-samples, pptp or joint")
    ],
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
    from vestige.studies import table

    if name not in STUDIES:
        raise unknown_name("study", name, STUDIES)
    check.at_least("seeds", seeds, 1)
    folder = out or Path("vestige-runs") / f"study-{name}"
    common: dict[str, Any] = {"out": folder, "data_dir": data_dir, "parts": split(part)}
    with display(quiet) as listener:
        title, findings = _findings(name, common, seeds, models, jobs, listener)
    path = table.write(findings, title, folder)
    typer.echo(table.markdown(findings))
    typer.echo(f"Table: {path}")


def _findings(
    name: str, common: dict[str, Any], seeds: int, models: int | None, jobs: int | None, listener: Any
) -> tuple[str, Any]:
    """The title of the study and what it found."""
    from vestige.studies import dynamics, information, joint, part, pptp, regularization, vulnerable_samples

    if name == "information":
        if models is not None:
            raise InputError(f"models={models}: the study of information trains no populations; leave out")
        return information.TITLE, information.study(information.Settings(**common, seeds=seeds), listener)
    trained: dict[str, Any] = {**common, "jobs": jobs} | ({} if models is None else {"models": models})
    if name == "dynamics":
        every = tuple(range(1, seeds + 1))
        return dynamics.TITLE, dynamics.study(dynamics.Settings(**trained, seeds=every), listener)
    in_parts = {
        "joint": joint,
        "pptp": pptp,
        "regularization": regularization,
        "vulnerable-samples": vulnerable_samples,
    }[name]
    return in_parts.TITLE, in_parts.study(part.Settings(**trained, seeds=seeds), listener)
