"""`vestige audit`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vestige.core.errors import InputError

if TYPE_CHECKING:
    from vestige.audits.options import Options


def split(names: list[str] | None) -> tuple[str, ...] | None:
    """Names given in several options, or separated by commas in one; None for none."""
    return tuple(name.strip() for text in names for name in text.split(",")) if names else None


def options_from(given: dict[str, Any]) -> "Options":
    """The options that were given on the command line, over those of the file --config."""
    from vestige.audits.options import Options, from_toml

    config = given.pop("config", None)
    lists = {name: split(given.get(name)) for name in ("attack", "signals")}
    single = {**given, **lists, "dataset": given.get("dataset") or None}
    return (from_toml(config) if config else Options()).merged(single)


def audit(
    dataset: Annotated[
        str,
        typer.Argument(
            help="digits, location30, cifar10, ...; a .npz, .csv or .parquet file; module:function"
        ),
    ] = "",
    models: Annotated[int | None, typer.Option(help="models to train, each a target in turn")] = None,
    epochs: Annotated[int | None, typer.Option(help="passes over a model's members")] = None,
    checkpoints: Annotated[
        int | None, typer.Option(help="epochs to observe, first and last among them")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="root of all randomness")] = None,
    samples: Annotated[int | None, typer.Option(help="audit a random subset of this size")] = None,
    model: Annotated[
        str | None, typer.Option(help="mlp, mlp-512-256-relu, convnet, resnet18, ...; module:function")
    ] = None,
    attack: Annotated[
        list[str] | None,
        typer.Option(help="an attack (may repeat; the first is the headline); see `vestige attacks`"),
    ] = None,
    signals: Annotated[
        list[str] | None,
        typer.Option(help="record a further signal (may repeat): entropy, gradient_norm, ..."),
    ] = None,
    precision: Annotated[str | None, typer.Option(help="of training: float32 or bf16")] = None,
    jobs: Annotated[
        int | None, typer.Option(help="worker processes; default one per core, one on a GPU")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="folder of official data files", envvar="VESTIGE_DATA")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="run folder; default vestige-runs/NAME")] = None,
    config: Annotated[Path | None, typer.Option(help="a TOML file with any of these options")] = None,
    optimizer: Annotated[str | None, typer.Option(help="sgd, adam, adamw or sam")] = None,
    lr: Annotated[float | None, typer.Option(help="learning rate")] = None,
    momentum: Annotated[float | None, typer.Option(help="of sgd and sam")] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="L2 for sgd, sam and adam, decoupled for adamw")
    ] = None,
    rho: Annotated[float | None, typer.Option(help="radius of sam; default 0.05")] = None,
    schedule: Annotated[str | None, typer.Option(help="constant, cosine or steps")] = None,
    label_smoothing: Annotated[float | None, typer.Option(help="0 to 1")] = None,
    augmentation: Annotated[str | None, typer.Option(help="none, flip, crop, flip-crop or noise")] = None,
    defense: Annotated[
        str | None, typer.Option(help="label_smoothing:0.1+dropout:0.3, ...; none; module:function")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="samples per step")] = None,
    input_noise: Annotated[
        float | None, typer.Option(help="noise added once to the inputs: its standard deviation")
    ] = None,
    label_noise: Annotated[
        float | None, typer.Option(help="share of labels replaced by another class")
    ] = None,
    canaries: Annotated[
        int | None, typer.Option(help="mislabelled records that stand for the worst case")
    ] = None,
    queries: Annotated[
        str | None, typer.Option(help="views attacks see: none, flip, crop or flip-crop")
    ] = None,
    design: Annotated[str | None, typer.Option(help="coins: paired or independent")] = None,
    operating_point: Annotated[
        str | None, typer.Option(help="of the plane: a population FPR, lr>0 or best-accuracy")
    ] = None,
    regions: Annotated[str | None, typer.Option(help="of the plane: named, grid:10 or a .toml file")] = None,
    policy: Annotated[str | None, typer.Option(help='your limit, such as "tpr@0.001<=0.02"')] = None,
    policy_by: Annotated[str | None, typer.Option(help="who set the policy")] = None,
    policy_reason: Annotated[str | None, typer.Option(help="why it was set so")] = None,
    release_context: Annotated[str | None, typer.Option(help="who will be able to query the model")] = None,
    operator: Annotated[str | None, typer.Option(help="who runs this audit")] = None,
    reviewer: Annotated[str | None, typer.Option(help="who checks it")] = None,
    engine: Annotated[
        str | None, typer.Option(help="auto, stacked, vmapped or sequential (DP-SGD has its own)")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda")] = None,
    label: Annotated[str | None, typer.Option(help="the label column of a table")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="show no progress")] = False,
) -> None:
    """Train models, attack each of them, place every sample on the FPR-TPR plane, and write a report."""
    given = {name: value for name, value in locals().items() if name != "quiet"}
    # torch takes seconds to load, and --help has no use for it
    from vestige.audits.audit import python_call, run
    from vestige.audits.preparation import prepare
    from vestige.cli.closing import close
    from vestige.cli.progress import display

    options = options_from(given)
    if not options.dataset:
        raise InputError("dataset='' is missing; name one, for example: vestige audit digits")
    with display(quiet) as listener:
        outcome = run(prepare(options), listener)
    close(outcome, python_call(options))
