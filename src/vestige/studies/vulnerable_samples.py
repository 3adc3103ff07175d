"""Samples that stay vulnerable in a model that generalizes (Khalil et al. 2025, arXiv 2511.16792), run again.

Only the released code of the paper was at hand, with the tables in its description. Its rule for vulnerable
samples and its logit reweighting are followed to the letter; the rest is a reconstruction.
"""

from vestige.audits.audit import run as audit
from vestige.audits.preparation import prepare
from vestige.audits.step import Listener, silent
from vestige.core.files import write_text
from vestige.designs.measurement import Measures
from vestige.explanations.explain import explain
from vestige.explanations.explanation import Explanation
from vestige.studies.finding import Finding
from vestige.studies.part import Part, Settings, chosen, comparison, options_of
from vestige.studies.regularization_figures import figures
from vestige.studies.vulnerable_claims import COLUMNS, DEFENSE_CLAIMS, SET_CLAIMS

TITLE = "Samples that stay vulnerable in models that generalize"

REGULARIZED = "weight_decay:0.0005+dropout:0.25"
DIGITS_DEFENSES = (
    "weight_decay:0.001",
    "weight_decay:0.005",
    REGULARIZED,
    "weight_decay:0.0005+dropout:0.5",
    "label_smoothing:0.01",
    "label_smoothing:0.1",
    "early_stopping:50",
    "relax_loss:0.1",
    "relax_loss:0.3",
    "logit_reweighting:0.1",
    f"{REGULARIZED}+logit_reweighting:0.1",
    "pre_identification:0.1/action=drop",
    "pre_identification:0.1/action=smooth",
)
WRONG_LABELS = (
    "weight_decay:0.005",
    "label_smoothing:0.1",
    "early_stopping:50",
    "logit_reweighting:0.1",
    "pre_identification:0.2/action=drop",
    "pre_identification:0.2/action=relabel",
)
LOCATION = (
    "weight_decay:0.0005",
    "weight_decay:0.001",
    "weight_decay:0.005",
    REGULARIZED,
    "label_smoothing:0.03",
    "early_stopping:10",
    "relax_loss:0.5",
    "logit_reweighting:0.1",
    f"{REGULARIZED}+logit_reweighting:0.1",
    "dp_sgd:noise=1/delta=1e-4",
)
CIFAR10 = (
    "weight_decay:0.0005",
    REGULARIZED,
    "weight_decay:0.0005+dropout:0.5",
    "label_smoothing:0.1",
    "early_stopping:8",
    "logit_reweighting:0.1",
    f"{REGULARIZED}+logit_reweighting:0.1",
)


def parts(settings: Settings) -> dict[str, Part]:
    """The chosen parts by name. Raises InputError for one that does not exist."""
    data = {"data_dir": settings.data_dir}
    # the reference table: 300 members and 300 others, tanh network, Adam, 200 epochs
    digits = {
        "dataset": "digits", "samples": 600, "model": "mlp-128", "optimizer": "adam", "lr": 1e-3,
        "batch_size": 32, "epochs": 200, "schedule": "constant", "models": settings.models or 16,
    }  # fmt: skip
    sets = {
        "dataset": "digits", "model": "mlp-128", "optimizer": "adam", "lr": 2e-3, "batch_size": 64,
        "epochs": 60, "schedule": "constant", "models": 64, "checkpoints": 61,
    }  # fmt: skip
    location = {
        "dataset": "location30", "samples": 3000, "model": "mlp-512", "optimizer": "adam", "lr": 1e-3,
        "batch_size": 64, "epochs": 40, "schedule": "constant", **data,
    }  # fmt: skip
    cifar10 = {
        "dataset": "cifar10", "samples": 10_000, "model": "convnet", "optimizer": "adam", "lr": 1e-3,
        "schedule": "steps", "epochs": 20, **data,
    }  # fmt: skip
    every = {
        "digits": Part(
            options=digits, defenses=DIGITS_DEFENSES, seeds=settings.seeds, measures=Measures(distance=False)
        ),
        "wrong labels": Part(
            options={**digits, "label_noise": 0.2},
            defenses=WRONG_LABELS,
            seeds=settings.seeds,
            measures=Measures(distance=False),
        ),
        "digits sets": Part(options=sets),
        "wrong label sets": Part(options={**sets, "label_noise": 0.05}),
        "location30": Part(
            options={**location, "models": settings.models or 16},
            defenses=LOCATION,
            measures=Measures(distance=False),
        ),
        "location30 sets": Part(options={**location, "models": 64, "checkpoints": 41}),
        "cifar10": Part(
            options={**cifar10, "models": settings.models or 8},
            defenses=CIFAR10,
            measures=Measures(distance=False),
        ),
        "cifar10 sets": Part(options={**cifar10, "models": 64, "checkpoints": 21}),
    }
    return chosen(every, settings)


def study(settings: Settings, listener: Listener = silent) -> tuple[Finding, ...]:
    """Run what is missing of the study, write figures beside each comparison, and give the table."""
    rows: list[Finding] = []
    for name, part in parts(settings).items():
        if part.defenses:
            found = comparison(settings, name, part, listener)
            write_text(found.folder / "figures.md", figures(found.summary, COLUMNS))
            rows += DEFENSE_CLAIMS[name](found)
        else:
            rows += SET_CLAIMS[name](explanation(settings, name, part, listener).page)
    return tuple(rows)


def explanation(settings: Settings, name: str, part: Part, listener: Listener = silent) -> Explanation:
    """The audit of a part, run where it is missing, and explained."""
    audited = audit(prepare(options_of(settings, name, part)), listener)
    return explain(audited.folder, data_dir=settings.data_dir, listener=listener)
