"""The audit of signals that are ready-made: everything but the training."""

import time
import zipfile
from pathlib import Path

import numpy as np

from vestige.attacks.score import ready_made
from vestige.audits import tables
from vestige.audits.assessment import Subject, assess
from vestige.audits.audit import default_folder, finish, write
from vestige.audits.findings import Context, result_of, versions
from vestige.audits.folder import MANIFEST, claimed
from vestige.audits.outcome import Audit
from vestige.audits.preparation import declared_policy, feasible, named_attacks
from vestige.audits.step import Listener, silent
from vestige.core import files
from vestige.core.errors import InputError
from vestige.core.record import array_digest, plain
from vestige.risk.identity import Fact

ARRAYS = ("values", "membership", "labels", "sample_ids", "epochs")


def score_file(
    file: Path,
    *,
    attack: tuple[str, ...] | None = None,
    out: Path | None = None,
    seed: int = 0,
    design: str | None = None,
    policy: str | None = None,
    listener: Listener = silent,
) -> tuple[Audit, str]:
    """The audit of the signals in an .npz file, and the call from Python that repeats its scores.

    Raises InputError for a file without `values` and `membership`, for arrays that do not fit each other,
    and for whatever the attacks need and is not there, before anything is written.
    """
    arrays = _read(file)
    attacks, declared = named_attacks(attack), declared_policy(policy)
    signals, membership = ready_made(arrays["values"], arrays["membership"], design=design, seed=seed)
    subject = Subject(
        signals,
        membership,
        _per_sample(arrays, "labels", membership.num_samples),
        _ids(arrays, membership.num_samples),
        _epochs(arrays, signals.shape[1]),
        seed=seed,
    )
    attacks = feasible(attacks, subject.pool(), chosen=attack is not None)
    call = f"vestige.score(values, membership, {attacks[0].name!r})"
    hashes = {name: array_digest(value) for name, value in arrays.items()}
    folder = out or default_folder(file.stem)
    manifest = {
        "tool": "vestige",
        "scored": str(file),
        "hashes": hashes,
        "design": membership.design,
        "seed": seed,
        "attacks": [plain(one) for one in attacks],
        "versions": {fact.name: fact.value for fact in versions()},
    }
    with claimed(folder):
        files.write_json(folder / MANIFEST, {**manifest, "state": "running"})
        start = time.perf_counter()
        with tables.scores(subject, folder / "scores.parquet") as keep:
            assessment = assess(subject, attacks, keep, listener)
        seconds = round(time.perf_counter() - start, 3)
        classes = 0 if subject.labels is None else int(subject.labels.max()) + 1
        context = Context(
            title=f"What the models behind {file.name} remember",
            model="not supplied",
            dataset=file.name,
            num_classes=classes,
            class_names=(),
            recipe=(
                Fact(name="Signals", value=f"ready-made, read from {file}"),
                Fact(name="Membership design", value=membership.design),
            ),
            cost=(
                Fact(name="Models in this run", value=f"{membership.num_models}, none of them trained here"),
            ),
            policy=declared,
            command=f"vestige score {file}",
            python_call=call,
            seeds=(Fact(name="root seed", value=str(seed)),),
            hashes=tuple(Fact(name=name, value=value) for name, value in hashes.items()),
            timings=(Fact(name="attack", value=f"{seconds:.1f} s"),),
            warnings=(),
            report=str(folder / "report.html"),
        )
        result = result_of(assessment, context)
        write(assessment, result, (), folder, listener)
        finish(folder, manifest)
    return Audit(result, assessment, folder), call


def _read(file: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ARRAYS if name in archive.files}
            names = archive.files
    except FileNotFoundError:
        raise InputError(f"file={file} does not exist; give an .npz file") from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise InputError(f"file={file} cannot be read as .npz without pickled objects: {error}") from None
    for name in ("values", "membership"):
        if name not in arrays:
            raise InputError(f"file={file} holds {', '.join(names) or 'nothing'}; it needs an array {name!r}")
    return arrays


def _per_sample(arrays: dict[str, np.ndarray], name: str, samples: int) -> np.ndarray | None:
    if name not in arrays:
        return None
    value = arrays[name]
    if value.shape != (samples,) or value.dtype.kind not in "iu":
        raise InputError(
            f"{name} has shape {value.shape} and type {value.dtype}; give {samples} integers, one per sample"
        )
    return value.astype(np.int64)


def _ids(arrays: dict[str, np.ndarray], samples: int) -> np.ndarray:
    given = _per_sample(arrays, "sample_ids", samples)
    return np.arange(samples) if given is None else given


def _epochs(arrays: dict[str, np.ndarray], checkpoints: int) -> np.ndarray:
    if "epochs" not in arrays:
        return np.arange(checkpoints, dtype=float)
    epochs = arrays["epochs"]
    if epochs.shape != (checkpoints,) or epochs.dtype.kind not in "iuf":
        raise InputError(
            f"epochs has shape {epochs.shape}; give one number for each of {checkpoints} checkpoints"
        )
    return epochs.astype(float)
