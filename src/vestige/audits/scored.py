"""The audit of signals that are ready-made: everything but the training."""

import itertools
import time
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vestige.attacks.given import row_per_sample
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
from vestige.core import check, files
from vestige.core.errors import InputError
from vestige.core.record import array_digest, content_hash, plain
from vestige.data.membership import from_mask
from vestige.motion.place import chosen_point
from vestige.risk.identity import Fact
from vestige.risk.region import regions_from
from vestige.risk.verdict import Policy
from vestige.tracking.runs import Runs

ARRAYS = ("values", "membership", "labels", "features", "sample_ids", "epochs")


@dataclass(frozen=True, eq=False)
class Ready:
    """Signals that are ready-made, the content hash of every array, and the call that scores them again,
    up to its last argument, the attack."""

    subject: Subject
    hashes: dict[str, str]
    call: str


def score_file(
    file: Path,
    *,
    attack: tuple[str, ...] | None = None,
    out: Path | None = None,
    seed: int = 0,
    design: str | None = None,
    policy: str | None = None,
    operating_point: str = "0.01",
    regions: str = "named",
    listener: Listener = silent,
) -> tuple[Audit, str]:
    """The audit of the signals in an .npz file or in a folder of tracked runs, and the call from Python
    that repeats its scores.

    Raises InputError for a file without `values` and `membership`, for arrays that do not fit each other,
    for a folder without runs or with runs of different data, and for whatever the attacks need and is not
    there, before anything is written.
    """
    attacks, declared = named_attacks(attack), declared_policy(policy)
    point, partition = chosen_point(operating_point, attacks[0]), regions_from(regions)
    ready = _of_runs(file, design, seed) if file.is_dir() else _of_arrays(_read(file), design, seed)
    ready = replace(ready, subject=replace(ready.subject, point=point, regions=partition))
    attacks = feasible(attacks, ready.subject.pool(), chosen=attack is not None)
    folder = out or default_folder(file.resolve().stem)
    manifest = _manifest(file, ready, attacks)
    with claimed(folder):
        files.write_json(folder / MANIFEST, {**manifest, "state": "running"})
        start = time.perf_counter()
        with tables.scores(ready.subject, folder / "scores.parquet") as keep:
            assessment = assess(ready.subject, attacks, keep, listener)
        timing = Fact(name="attack", value=f"{time.perf_counter() - start:.1f} s")
        context = _context(file, ready, assessment, declared, timing, folder)
        result = result_of(assessment, context)
        write(assessment, result, (), folder, listener)
        finish(folder, manifest)
    return Audit(result, assessment, folder), context.python_call


def _of_arrays(arrays: dict[str, np.ndarray], design: str | None, seed: int) -> Ready:
    signals, membership = ready_made(arrays["values"], arrays["membership"], design=design, seed=seed)
    subject = Subject(
        signals,
        membership,
        _per_sample(arrays, "labels", membership.num_samples),
        _ids(arrays, membership.num_samples),
        _epochs(arrays, signals.shape[1]),
        row_per_sample("features", arrays["features"], membership.num_samples)
        if "features" in arrays
        else None,
        seed=seed,
    )
    hashes = {name: array_digest(value) for name, value in arrays.items()}
    return Ready(subject, hashes, "vestige.score(values, membership")


def _of_runs(folder: Path, design: str | None, seed: int) -> Ready:
    runs = Runs.open(folder)
    models, checkpoints, samples, _ = runs.shape
    membership = from_mask(runs.mask, design, seed)
    subject = Subject(runs, membership, runs.labels, np.arange(samples), runs.epochs, seed=seed)
    places = itertools.product(range(models), range(checkpoints))
    hashes = {
        "values": content_hash([array_digest(runs.row("scaled_logit", *place)) for place in places]),
        "membership": array_digest(membership.mask),
        "labels": array_digest(runs.labels),
        "epochs": array_digest(runs.epochs),
    }
    opened = f"runs = vestige.tracking.runs.Runs.open({str(folder)!r})"
    return Ready(subject, hashes, f"{opened}; vestige.score(runs.signal(), runs.membership")


def _manifest(file: Path, ready: Ready, attacks: tuple[Attack, ...]) -> dict[str, Any]:
    return {
        "tool": "vestige",
        "scored": str(file),
        "hashes": ready.hashes,
        "design": ready.subject.membership.design,
        "seed": ready.subject.seed,
        "attacks": [plain(one) for one in attacks],
        "versions": {fact.name: fact.value for fact in versions()},
    }


def _context(
    file: Path,
    ready: Ready,
    assessment: Assessment,
    policy: Policy | None,
    timing: Fact,
    folder: Path,
) -> Context:
    subject, name = ready.subject, file.resolve().name
    models = subject.membership.num_models
    return Context(
        title=f"What the models behind {name} remember",
        model="not supplied",
        dataset=name,
        num_classes=0 if subject.labels is None else len(np.unique(subject.labels)),
        class_names=(),
        recipe=(
            Fact(name="Signals", value=f"ready-made, read from {file}"),
            Fact(name="Membership design", value=subject.membership.design),
        ),
        cost=(Fact(name="Models in this run", value=f"{models}, none of them trained here"),),
        policy=policy,
        command=f"vestige score {file}",
        python_call=f"{ready.call}, {assessment.attacks[0].name!r})",
        seeds=(Fact(name="root seed", value=str(subject.seed)),),
        hashes=tuple(Fact(name=one, value=digest) for one, digest in ready.hashes.items()),
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
    return check.whole_numbers(name, arrays[name], samples) if name in arrays else None


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
