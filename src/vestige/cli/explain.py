"""`vestige explain`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

RUN = "the folder of a finished audit"
RULE = "who counts as vulnerable: reference, lira or global"
GROUPS = "FILE or FILE:COLUMN (.csv, .parquet): one group per record, to compare"
LAYER = "the convolution that Grad-CAM looks at; default the last"
ATTRIBUTION = "auto, grad-cam, integrated-gradients, gradient-x-input or none"


def explain(
    run: Annotated[Path, typer.Argument(help=RUN)],
    target: Annotated[int | None, typer.Option(help="the model that is shown; default 0")] = None,
    rule: Annotated[str | None, typer.Option(help=RULE)] = None,
    fpr: Annotated[float | None, typer.Option(help="at which members are named; default 0.01")] = None,
    models: Annotated[int | None, typer.Option(help="whose features are averaged over; default 4")] = None,
    groups: Annotated[str | None, typer.Option(help=GROUPS)] = None,
    attribution: Annotated[str | None, typer.Option(help=ATTRIBUTION)] = None,
    layer: Annotated[str | None, typer.Option(help=LAYER)] = None,
    perplexity: Annotated[float | None, typer.Option(help="of t-SNE; default 30")] = None,
    points: Annotated[int | None, typer.Option(help="most members in t-SNE; default 10000")] = None,
    records: Annotated[int | None, typer.Option(help="in the gallery; default 400")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="folder of official data files", envvar="VESTIGE_DATA")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="show no progress")] = False,
) -> None:
    """Say who is given away by a finished audit's models, and why: outliers, t-SNE, Grad-CAM, each record.

    Trains nothing: it reopens the saved models. Writes RUN/explain: report.html, tables as Parquet, and every
    figure as PNG, SVG and Parquet.
    """
    from vestige.cli.progress import display
    from vestige.explanations.explain import explain as explained
    from vestige.report.explanation_sentences import answer_lines

    given: dict[str, Any] = {
        "target": target, "rule": rule, "fpr": fpr, "models": models, "groups": groups,
        "attribution": attribution, "layer": layer, "perplexity": perplexity, "points": points,
        "records": records,
    }  # fmt: skip
    with display(quiet) as listener:
        found = explained(run, data_dir=data_dir, listener=listener, **given)
    console = Console(highlight=False)
    console.soft_wrap = not console.is_terminal
    console.print(f"Python: {found.page.python_call}", markup=False)
    for line in answer_lines(found.page):
        console.print(line, markup=False)
    console.print(f"Written: {found.folder}", markup=False)
    console.print(f"Report: {found.report}", markup=False)
