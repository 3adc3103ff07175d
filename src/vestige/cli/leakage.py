"""`vestige leakage`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from vestige.core.errors import InputError

TARGET = "the folder of a finished audit; or a data set: its name, a file, module:function"
TEMPERATURE = "in nats of loss: of a Gibbs posterior (ridge); of a run, adds the gap of losses over it"
FEATURES = "raw, pca:K, relu:K or network:ARCHITECTURE@ROWS"
VARY = "OPTION=LEVEL,LEVEL (may repeat): size, weight, sigma, epsilon, delta, temperature or features"


def leakage(
    dataset_or_run: Annotated[str, typer.Argument(help=TARGET)],
    model: Annotated[
        str | None, typer.Option(help="ridge, logistic or softmax; default by the number of classes")
    ] = None,
    classes: Annotated[str | None, typer.Option(help="keep these classes only, such as 3,8")] = None,
    size: Annotated[int | None, typer.Option(help="records in training, drawn by --seed")] = None,
    weight: Annotated[
        float | None, typer.Option(help="of the ridge term, weight/2 |theta|^2; default 0.01")
    ] = None,
    sigma: Annotated[float | None, typer.Option(help="of Gaussian noise on the parameters")] = None,
    epsilon: Annotated[float | None, typer.Option(help="sets sigma by differential privacy")] = None,
    delta: Annotated[float | None, typer.Option(help="beside epsilon; default 1e-5")] = None,
    calibration: Annotated[
        str | None, typer.Option(help="of epsilon: auto, classical (up to 1) or analytic")
    ] = None,
    temperature: Annotated[float | None, typer.Option(help=TEMPERATURE)] = None,
    features: Annotated[str | None, typer.Option(help=FEATURES)] = None,
    method: Annotated[str | None, typer.Option(help="alo, influence or exact; default alo")] = None,
    vary: Annotated[list[str] | None, typer.Option(help=VARY)] = None,
    seeds: Annotated[int | None, typer.Option(help="repetitions with other records; default 3")] = None,
    seed: Annotated[int | None, typer.Option(help="of the first repetition")] = None,
    label: Annotated[str | None, typer.Option(help="the label column of a table")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="folder of official data files", envvar="VESTIGE_DATA")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="folder; default vestige-runs/NAME-leakage")] = None,
    bits: Annotated[bool, typer.Option("--bits", help="show bits in place of nats")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="show no progress")] = False,
) -> None:
    """Tell in nats what models reveal of their records: those of an audit, or linear models of a data set.

    Of an audit's folder: the mean record stands between what attacks show at least and what noise allows at
    most; trains nothing. Of a data set: exact or nearly exact leakage of ridge, logistic or softmax
    regression, released with noise, over whatever --vary names.
    """
    chosen = {
        "model": model, "classes": classes, "size": size, "weight": weight, "sigma": sigma,
        "epsilon": epsilon, "delta": delta, "calibration": calibration, "temperature": temperature,
        "features": features, "method": method, "seed": seed,
    }  # fmt: skip
    options = {name: value for name, value in chosen.items() if value is not None}
    around = {"vary": vary, "seeds": seeds, "label": label, "data_dir": data_dir, "out": out}
    given = {name: value for name, value in around.items() if value is not None}
    if _is_folder_of_run(Path(dataset_or_run)):
        _of_run(Path(dataset_or_run), {**options, **given}, bits)
    else:
        _of_dataset(dataset_or_run, options, given, bits, quiet)


def _is_folder_of_run(path: Path) -> bool:
    """Whether a folder is meant: one with a manifest, or any that is not named as a data set is."""
    from vestige.data.sources import BENCHMARKS, EMBEDDED

    return (path / "manifest.json").is_file() or (path.is_dir() and str(path) not in (*EMBEDDED, *BENCHMARKS))


def _of_run(run: Path, given: dict[str, Any], bits: bool) -> None:
    from vestige.audits.information import leakage_of
    from vestige.report.information_terminal import bracket_summary

    temperature = given.pop("temperature", None)
    given.pop("data_dir", None)  # may come from the environment
    if given:
        raise InputError(f"{', '.join(given)}: for data sets only, and {run} is a folder; leave out")
    found = leakage_of(run, temperature=temperature)
    told = f"{str(run)!r}" + ("" if temperature is None else f", temperature={temperature!r}")
    console = _console()
    _say(console, f"Python: vestige.leakage_of({told})")
    console.print(bracket_summary(found.information, bits))
    for name in ("leakage.parquet", "leakage.json"):
        _say(console, f"Written: {run / name}")


def _of_dataset(
    dataset: str, options: dict[str, Any], given: dict[str, Any], bits: bool, quiet: bool
) -> None:
    from vestige.cli.progress import display
    from vestige.designs.leakage_sweep import leakage_sweep
    from vestige.designs.sweep_design import varied_from
    from vestige.designs.sweep_page import sweep_page
    from vestige.report.leakage_sweep_terminal import sweep_summary

    if "vary" in given:
        given["vary"] = varied_from(given["vary"])
    if bits:
        given["bits"] = True
    with display(quiet) as listener:
        found = leakage_sweep(dataset, **given, **options, listener=listener)
    console = _console()
    if found.design.factors:
        given["vary"] = {factor.option: list(factor.levels) for factor in found.design.factors}
    words = [f"{k}={(str(v) if isinstance(v, Path) else v)!r}" for k, v in {**given, **options}.items()]
    _say(console, f"Python: vestige.leakage_sweep({', '.join([repr(dataset), *words])})")
    console.print(sweep_summary(sweep_page(found.design, found.table, bits)))
    for name in ("sweep.parquet", "sweep.json", "records.parquet"):
        _say(console, f"Written: {found.folder / name}")
    _say(console, f"Report: {found.report}")


def _console() -> Console:
    return Console(highlight=False, width=None if Console().is_terminal else 160)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)
