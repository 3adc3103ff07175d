"""`vestige.audit`: train, attack, place on the plane, check, write."""

import dataclasses
import datetime
import re
import shlex
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vestige.audits import tables
from vestige.audits.assessment import Assessment, Subject, assess
from vestige.audits.depths import prediction_depths
from vestige.audits.embeddings import Embeddings
from vestige.audits.findings import Context, result_of, versions
from vestige.audits.folder import MANIFEST, claimed
from vestige.audits.information import of_assessment
from vestige.audits.options import Options, from_keywords
from vestige.audits.outcome import Audit
from vestige.audits.pages import information_page, write_page
from vestige.audits.preparation import Prepared, prepare
from vestige.audits.step import Listener, Step, counted, silent
from vestige.core import files
from vestige.core.record import array_digest, content_hash, plain
from vestige.models.catalog import ModelSpec
from vestige.population.fit import Fitted, Progress, fit
from vestige.risk.identity import Fact
from vestige.risk.result import AuditResult
from vestige.training.accounting import limits, statement
from vestige.training.recipe import Recipe


def audit(
    dataset: Any,
    *,
    model: str | Callable[..., Any] | ModelSpec | None = None,
    recipe: Recipe | None = None,
    listener: Listener = silent,
    **options: Any,
) -> Audit:
    """The audit of a training recipe on a data set: what models trained so remember of whom.

    dataset: a name such as "digits", a file, "package.module:function", a pair (inputs, labels) of
      arrays, a torch Dataset or a `vestige.data.dataset.Dataset`.
    model: a name, "package.module:function", or a function returning an nn.Module.
    recipe: a whole recipe in place of the options epochs, batch_size, optimizer and so on.
    listener: called with a Step at every sign of life.
    options: any field of `vestige.audits.options.Options`, for example models=64, epochs=40, out="runs/a".

    A run that was interrupted continues where it stopped when called again with the same arguments.
    Raises InputError or RunFolderError before any training if something is wrong.
    """
    named = {"dataset": dataset} if isinstance(dataset, str) else {}
    return run(prepare(from_keywords({**named, **options}), dataset, model, recipe), listener)


def run(prepared: Prepared, listener: Listener = silent) -> Audit:
    """Carry out a prepared audit in its run folder."""
    folder = prepared.options.out or default_folder(prepared.plan.dataset.name)
    with claimed(folder):
        return _run(prepared, folder, listener)


def default_folder(name: str) -> Path:
    """Where a run goes if the user does not say."""
    return Path("vestige-runs") / (re.sub(r"[^\w.-]+", "-", name).strip("-.") or "data")


def _run(prepared: Prepared, folder: Path, listener: Listener) -> Audit:
    manifest = manifest_of(prepared)
    files.write_json(folder / MANIFEST, {**manifest, "state": "running"})
    fitted = _fit(prepared, folder, listener)
    plan, start = prepared.plan, time.perf_counter()
    fitted.store.save_membership(plan.membership.mask)
    subject = Subject(
        fitted.signals,
        plan.membership,
        plan.dataset.targets,
        plan.dataset.ids,
        np.array(plan.observation.checkpoints, float),
        plan.dataset.inputs,
        plan.seed,
        point=prepared.point,
        regions=prepared.regions,
        mislabelled=prepared.mislabelled,
        depths=lambda models: prediction_depths(plan, fitted.store, models),
        embeddings=Embeddings(plan, fitted.store),
    )
    with tables.scores(subject, folder / "scores.parquet") as keep:
        assessment = assess(subject, prepared.attacks, keep, listener)
    timings = {"train": round(fitted.seconds, 3), "attack": round(time.perf_counter() - start, 3)}
    result = result_of(assessment, _context(prepared, fitted, folder, timings))
    write(assessment, result, plan.dataset.class_names, folder, listener, manifest["recipe"])
    finish(folder, {**manifest, "timings_seconds": timings})
    return Audit(result, assessment, folder)


def write(
    assessment: Assessment,
    result: AuditResult,
    class_names: tuple[str, ...],
    folder: Path,
    listener: Listener,
    recipe: Mapping[str, Any] | None = None,
) -> None:
    """Write the tables, the report and the summary of a run, each file in one step.

    recipe: as the manifest holds it; None where training is not on record.
    """

    def page() -> None:
        told = information_page(of_assessment(assessment, result.attacks, folder, recipe), folder)
        write_page(assessment, result, class_names, told, folder / "report.html")

    outputs: dict[str, Callable[[], None]] = {
        "tables": lambda: tables.write(assessment, folder),
        "report": page,
        "summary": lambda: files.write_text(folder / "summary.json", result.to_json()),
    }
    for output in counted(outputs.values(), "write", len(outputs), "outputs", listener):
        output()


def finish(folder: Path, manifest: dict[str, Any]) -> None:
    """Mark the run as done."""
    finished = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    files.write_json(folder / MANIFEST, {**manifest, "state": "done", "finished": finished})


def _fit(prepared: Prepared, folder: Path, listener: Listener) -> Fitted:
    total = prepared.plan.membership.num_models

    def report(progress: Progress) -> None:
        listener(Step("train", progress.models_done, progress.models_total, "models", progress.seconds))

    listener(Step("train", 0, total, "models", 0.0))
    fitted = fit(prepared.plan, folder, prepared.options.jobs, report)
    stage = "train" if fitted.trained else "reuse"
    listener(Step(stage, total, total, "models", fitted.seconds))
    return fitted


def manifest_of(prepared: Prepared) -> dict[str, Any]:
    """What a run was asked to do, as its manifest holds it."""
    plan, options = prepared.plan, prepared.options
    shown = {f.name: getattr(options, f.name) for f in dataclasses.fields(options)}
    paths = {name: str(value) for name, value in shown.items() if isinstance(value, Path)}
    return {
        "tool": "vestige",
        "options": plain({**shown, **paths}),
        "recipe": plain(plan.recipe),
        "observation": plain(plan.observation),
        "engine": plain(plan.choice),
        "device": plan.device,
        "seed": plan.seed,
        "population": plan.key,
        "dataset": {"name": plan.dataset.name, "hash": plan.dataset.fingerprint()},
        "membership": {"design": plan.membership.design, "hash": array_digest(plan.membership.mask)},
        "attacks": [plain(attack) for attack in prepared.attacks],
        "versions": {fact.name: fact.value for fact in versions()},
    }


def _context(prepared: Prepared, fitted: Fitted, folder: Path, timings: dict[str, float]) -> Context:
    plan = prepared.plan
    asked, observed = prepared.options.checkpoints or 0, len(plan.observation.checkpoints)
    fewer = [f"{asked} checkpoints were asked for; {plan.recipe.epochs} epochs offer {observed}."]
    damaged = [f"The files of model {model} were damaged; it was trained again." for model in fitted.damaged]
    reused = f"{fitted.trained} trained, {fitted.reused} reused from {folder}"
    return Context(
        title=f"What models trained on {plan.dataset.name} remember",
        model=plan.recipe.model.name,
        dataset=plan.dataset.name,
        num_classes=plan.dataset.num_classes,
        class_names=plan.dataset.class_names,
        recipe=recipe_facts(prepared),
        cost=(
            Fact(name="Models in this run", value=reused),
            Fact(name="Training time", value=f"{timings['train']:.1f} s on {plan.device}"),
        ),
        policy=prepared.policy,
        command=command_line(prepared.options),
        python_call=python_call(prepared.options),
        seeds=(Fact(name="root seed", value=str(plan.seed)),),
        hashes=(
            Fact(name="data", value=plan.dataset.fingerprint()),
            Fact(name="membership", value=array_digest(plan.membership.mask)),
            Fact(name="population", value=plan.key),
            Fact(name="recipe", value=content_hash(plan.recipe)),
        ),
        timings=tuple(Fact(name=name, value=f"{seconds:.1f} s") for name, seconds in timings.items()),
        warnings=(*damaged, *(fewer if asked > observed else ())),
        report=str(folder / "report.html"),
        release_context=prepared.options.release_context,
        operator=prepared.options.operator,
        reviewer=prepared.options.reviewer,
    )


def recipe_facts(prepared: Prepared) -> tuple[Fact, ...]:
    """The recipe and the design as they were run, one line each."""
    plan = prepared.plan
    r = plan.recipe
    rows = {
        "Model": " ".join([r.model.name, *(f"{k}={v}" for k, v in r.model.options)]),
        "Defense": prepared.options.defense,
        "Loss": str(r.loss),
        "Targets": str(r.targets),
        "Optimizer": str(r.optimizer),
        "Learning-rate schedule": type(r.schedule).__name__.lower(),
        "Augmentation": str(r.augmentation),
        "Mixing": str(r.mixing or "none"),
        "Epochs": str(r.epochs),
        "Batch size": str(r.batch_size),
        "Precision of training": r.precision,
        "Engine": f"{plan.choice.engine} ({plan.choice.reason})",
        "Membership design": plan.membership.design,
        "Members per model": f"{plan.membership.mask.sum(1).mean():.0f} of {plan.dataset.num_samples}",
        "Checkpoints (epochs)": ", ".join(map(str, plan.observation.checkpoints)),
        "Queries per record": str(len(plan.observation.queries)),
    }
    if r.privacy:
        fewest = int(plan.membership.mask.sum(1).min())  # the largest epsilon of any model
        terms = statement if r.routing is None else limits
        rows |= dict(terms(r.privacy, fewest, r.batch_size, r.epochs))
    return tuple(Fact(name=name, value=value) for name, value in rows.items())


def changed(options: Options) -> dict[str, Any]:
    """The options that differ from their defaults, the data set apart."""
    fields = [f for f in dataclasses.fields(options) if f.name != "dataset"]
    return {f.name: getattr(options, f.name) for f in fields if getattr(options, f.name) != f.default}


def command_line(options: Options) -> str:
    """The command that repeats the audit."""
    words = ["vestige", "audit", options.dataset or "DATASET"]
    for name, value in changed(options).items():
        for one in value if isinstance(value, tuple) else (value,):
            words += [f"--{name.replace('_', '-')}", str(one)]
    return shlex.join(words)


def python_call(options: Options) -> str:
    """The call from Python that repeats the audit."""
    shown = {k: str(v) if isinstance(v, Path) else v for k, v in changed(options).items()}
    arguments = [repr(options.dataset) if options.dataset else "dataset"]
    return f"vestige.audit({', '.join([*arguments, *(f'{k}={v!r}' for k, v in shown.items())])})"
