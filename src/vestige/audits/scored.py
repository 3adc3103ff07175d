"""The audit of signals that are ready-made: everything but the training."""

import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from vestige.attacks.protocol import Attack
from vestige.attacks.score import ready_made
from vestige.audits import tables
from vestige.audits.assessment import Assessment, Subject, assess
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
from vestige.risk.verdict import Policy

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
    attacks, declared = named_attacks(attack), declared_policy(policy)
    arrays = _read(file)
    subject = _subject(arrays, design, seed)
    attacks = feasible(attacks, subject.pool(), chosen=attack is not None)
    folder = out or default_folder(file.stem)
    manifest = _manifest(file, arrays, subject, attacks)
    with claimed(folder):
        files.write_json(folder / MANIFEST, {**manifest, "state": "running"})
        start = time.perf_counter()
        with tables.scores(subject, folder / "scores.parquet") as keep:
            assessment = assess(subject, attacks, keep, listener)
        timing = Fact(name="attack", value=f"{time.perf_counter() - start:.1f} s")
        context = _context(file, arrays, assessment, declared, timing, folder)
        result = result_of(assessment, context)
        write(assessment, result, (), folder, listener)
        finish(folder, manifest)
    return Audit(result, assessment, folder), context.python_call


def _subject(arrays: dict[str, np.ndarray], design: str | None, seed: int) -> Subject:
    signals, membership = ready_made(arrays["values"], arrays["membership"], design=design, seed=seed)
    return Subject(
        signals,
        membership,
        _per_sample(arrays, "labels", membership.num_samples),
        _ids(arrays, membership.num_samples),
        _epochs(arrays, signals.shape[1]),
        seed=seed,
    )


def _manifest(
    file: Path, arrays: dict[str, np.ndarray], subject: Subject, attacks: tuple[Attack, ...]
) -> dict[str, Any]:
    return {
        "tool": "vestige",
        "scored": str(file),
        "hashes": {name: array_digest(value) for name, value in arrays.items()},
        "design": subject.membership.design,
        "seed": subject.seed,
        "attacks": [plain(one) for one in attacks],
        "versions": {fact.name: fact.value for fact in versions()},
    }


def _context(
    file: Path,
    arrays: dict[str, np.ndarray],
    assessment: Assessment,
    policy: Policy | None,
    timing: Fact,
    folder: Path,
) -> Context:
    subject = assessment.subject
    models = subject.membership.num_models
    return Context(
        title=f"What the models behind {file.name} remember",
        model="not supplied",
        dataset=file.name,
        num_classes=0 if subject.labels is None else int(subject.labels.max()) + 1,
        class_names=(),
        recipe=(
            Fact(name="Signals", value=f"ready-made, read from {file}"),
            Fact(name="Membership design", value=subject.membership.design),
        ),
        cost=(Fact(name="Models in this run", value=f"{models}, none of them trained here"),),
        policy=policy,
        command=f"vestige score {file}",
        python_call=f"vestige.score(values, membership, {assessment.attacks[0].name!r})",
        seeds=(Fact(name="root seed", value=str(subject.seed)),),
        hashes=tuple(Fact(name=name, value=array_digest(value)) for name, value in arrays.items()),
        timings=(timing,),
        warnings=(),
        report=str(folder / "report.html"),
    )


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
