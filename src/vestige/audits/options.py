"""The options of an audit, the same from Python, the command line and a TOML file."""

import dataclasses
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from vestige.core import check
from vestige.core.errors import InputError, unknown_name
from vestige.data.membership import DESIGNS
from vestige.risk.identity import NOT_SUPPLIED

_LEAST = {"models": 2, "epochs": 1, "checkpoints": 2, "samples": 2, "batch_size": 1, "jobs": 1}
TRAINABLE_DESIGNS = tuple(design for design in DESIGNS if design != "balanced")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a user may set; None takes the preset of the data set (see `vestige.audits.presets`).

    dataset: a name, a file (.npz, .csv, .parquet) or "package.module:function".
    models: how many to train, each a target in turn; samples: a random subset of the data.
    model: a named architecture or "package.module:function" returning an nn.Module.
    attack: names; the first is the headline and places samples on the plane.
    signals: further signals to record, for example "entropy" or "gradient_norm".
    optimizer, lr, momentum, weight_decay, schedule, label_smoothing, augmentation, batch_size, epochs:
      the recipe; rho: the radius of the optimizer sam.
    defense: what edits the recipe last, for example "label_smoothing:0.1+dropout:0.3".
    precision: of the training arithmetic; signals are float32 always.
    input_noise: standard deviation of noise added once to the inputs, for bytes in units of full scale.
    label_noise: the share of labels replaced by another class.
    checkpoints: how many epochs are observed, the initialization and the end among them.
    queries: deterministic views of each sample that attacks see ("none", "flip", ...).
    operating_point: where targets name samples on the plane: a population FPR such as "0.01", "lr>0" or
      "best-accuracy". regions: of the plane: "named", "grid:10" or a TOML file.
    design: "paired" or "independent" coins. policy: for example "tpr@0.001<=0.02".
    policy_by, policy_reason: who set the policy and why; release_context: who will be able to query the
      model; operator, reviewer: who ran and who checked the audit. The report prints them.
    jobs: worker processes; never changes results. device: "cpu" or "cuda".
    out: the run folder; data_dir: where official data files lie; label: a table's label column.

    Raises InputError for values out of range.
    """

    dataset: str = ""
    models: int | None = None
    epochs: int | None = None
    checkpoints: int | None = None
    seed: int = 0
    samples: int | None = None
    model: str | None = None
    attack: tuple[str, ...] | None = None
    signals: tuple[str, ...] = ()
    precision: str = "float32"
    optimizer: str | None = None
    lr: float | None = None
    momentum: float | None = None
    weight_decay: float = 0.0
    rho: float | None = None
    schedule: str | None = None
    label_smoothing: float = 0.0
    augmentation: str | None = None
    defense: str = "none"
    batch_size: int | None = None
    input_noise: float = 0.0
    label_noise: float = 0.0
    canaries: int = 0
    queries: str = "none"
    design: str = "paired"
    operating_point: str = "0.01"
    regions: str = "named"
    policy: str | None = None
    policy_by: str = NOT_SUPPLIED
    policy_reason: str = NOT_SUPPLIED
    release_context: str = NOT_SUPPLIED
    operator: str = NOT_SUPPLIED
    reviewer: str = NOT_SUPPLIED
    engine: str = "auto"
    device: str = "auto"
    jobs: int | None = None
    data_dir: Path | None = None
    label: str | None = None
    out: Path | None = None

    def __post_init__(self) -> None:
        for name, minimum in _LEAST.items():
            value = getattr(self, name)
            if value is not None:
                check.at_least(name, value, minimum)
        check.at_least("seed", self.seed, 0)
        check.at_least("input_noise", self.input_noise, 0.0)
        check.within("label_noise", self.label_noise, 0.0, 1.0)
        check.one_of("design", self.design, TRAINABLE_DESIGNS)

    def merged(self, changes: dict[str, Any]) -> "Options":
        """These options with the given ones in place; values that are None change nothing."""
        return dataclasses.replace(self, **{k: v for k, v in changes.items() if v is not None})


def from_keywords(given: Mapping[str, Any], without: Collection[str] = ()) -> Options:
    """The options that a call from Python names: paths may be strings, and a single name stands for itself.

    without: fields of `Options` that this call sets by other means.

    Raises InputError for an unknown name or a value out of range.
    """
    known = {field.name for field in dataclasses.fields(Options)} - set(without)
    for name in given:
        if name not in known:
            raise unknown_name("option", name, known)
    options = {name: value for name, value in given.items() if value is not None}
    for name in options.keys() & {"out", "data_dir"}:
        options[name] = Path(options[name])
    for name in options.keys() & {"attack", "signals"}:
        options[name] = (options[name],) if isinstance(options[name], str) else tuple(options[name])
    return Options(**options)


def from_toml(path: Path) -> Options:
    """The options in a TOML file whose keys are the fields of `Options`.

    Raises InputError for a missing or malformed file, an unknown key or a value of the wrong type.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"config={path} cannot be read ({error.strerror}); give an existing TOML file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"config={path} is not TOML: {error}") from error
    hints = get_type_hints(Options)
    return Options(**{key: _typed(key, value, hints, path) for key, value in content.items()})


def _typed(key: str, value: Any, hints: dict[str, Any], path: Path) -> Any:
    if key not in hints:
        raise unknown_name(f"option in {path.name}", key, hints)
    kinds = [kind for kind in (get_args(hints[key]) or (hints[key],)) if kind is not type(None)]
    if key in ("attack", "signals"):
        return tuple([value] if isinstance(value, str) else value)
    if Path in kinds and isinstance(value, str):
        return (path.parent / value).resolve() if not Path(value).is_absolute() else Path(value)
    if float in kinds and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not any(type(value) is kind for kind in kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise InputError(f"{key}={value!r} in {path.name} must be {wanted}")
    return value
