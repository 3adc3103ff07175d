"""`vestige score`."""

from pathlib import Path
from typing import Annotated

import typer

from vestige.cli.audit import split


def score(
    file: Annotated[
        Path,
        typer.Argument(
            help=".npz with values (models, [checkpoints,] samples) and membership; or a folder of runs"
        ),
    ],
    attack: Annotated[
        list[str] | None, typer.Option(help="an attack (may repeat; the first is the headline)")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="run folder; default vestige-runs/NAME")] = None,
    seed: Annotated[int, typer.Option(help="root of the bootstrap and of the controls")] = 0,
    design: Annotated[
        str | None, typer.Option(help="coins: paired, independent or balanced; default recognized")
    ] = None,
    policy: Annotated[str | None, typer.Option(help='your limit, such as "tpr@0.001<=0.02"')] = None,
    operating_point: Annotated[
        str, typer.Option(help="of the plane: a population FPR, lr>0 or best-accuracy")
    ] = "0.01",
    regions: Annotated[str, typer.Option(help="of the plane: named, grid:10 or a .toml file")] = "named",
    quiet: Annotated[bool, typer.Option("--quiet", help="show no progress")] = False,
) -> None:
    """Audit signals of models that somebody else trained; trains nothing.

    FILE holds `values`, scaled logits as floats, and `membership`, booleans (models, samples); and if you
    have them `labels` (samples), `features` (samples, ...), `sample_ids` (samples) and `epochs`
    (checkpoints). Or it is a folder whose subfolders were written by vestige.Tracker, one per run.
    """
    from vestige.audits.scored import score_file
    from vestige.cli.closing import close
    from vestige.cli.progress import display

    with display(quiet) as listener:
        outcome, call = score_file(
            file,
            attack=split(attack),
            out=out,
            seed=seed,
            design=design,
            policy=policy,
            operating_point=operating_point,
            regions=regions,
            listener=listener,
        )
    close(outcome, call)
