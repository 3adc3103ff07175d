"""The result of an audit: the one object that drives terminal, JSON and report."""

import json
from dataclasses import dataclass
from typing import Any, cast

from vestige.core.errors import InputError
from vestige.risk.control import Control, all_passed
from vestige.risk.coverage import CoverageRow
from vestige.risk.document import from_plain, to_plain
from vestige.risk.dynamics import Dynamics
from vestige.risk.estimate import Estimate
from vestige.risk.exposure import Exposure
from vestige.risk.identity import Accuracy, Attacker, Fact, Identity, Provenance
from vestige.risk.summary import AttackSummary
from vestige.risk.verdict import Verdict

SCHEMA_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The headline: attack, attacker, sample and date, then the figure with its interval.

    metric: "tpr@" with a false positive rate, or "auc" where the sample carries no such rate.
    """

    attack: str
    attacker: str
    sample: str
    date: str
    metric: str
    estimate: Estimate
    sentence: str


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """Everything an audit found.

    recipe: the training recipe and options as they were run, echoed.
    attacks: the headline attack first; it was named before the scores were seen, not chosen by them.
    accuracies: of all models, on their members, non-members and, where there is one, a test set.
    exposure: None where no plane was counted. dynamics: None with fewer than two checkpoints.
    report: the path of the written report; empty if none was written.
    """

    identity: Identity
    recipe: tuple[Fact, ...]
    attacker: Attacker
    coverage: tuple[CoverageRow, ...]
    controls: tuple[Control, ...]
    attacks: tuple[AttackSummary, ...]
    claim: Claim
    verdict: Verdict
    exposure: Exposure | None
    dynamics: Dynamics | None
    accuracies: tuple[Accuracy, ...]
    warnings: tuple[str, ...]
    provenance: Provenance
    report: str = ""

    def __post_init__(self) -> None:
        if not self.attacks:
            raise InputError("attacks=() must name at least one attack; the first one is the headline")

    @property
    def headline(self) -> AttackSummary:
        """The attack that the claim and the verdict speak of."""
        return self.attacks[0]

    @property
    def valid(self) -> bool:
        """Whether no control failed."""
        return all_passed(self.controls)

    @property
    def exit_code(self) -> int:
        """0 within or not judged, 1 exceeds, 3 a control failed, 4 cannot tell."""
        return self.verdict.exit_code

    def to_json(self) -> str:
        """The whole result as JSON with a schema version; never NaN."""
        document = {"schema_version": SCHEMA_VERSION, **to_plain(self)}
        return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def from_json(text: str) -> AuditResult:
    """The result that `to_json` wrote.

    Raises InputError for anything else, or for a schema version that this Vestige does not read.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"the result is not JSON ({error}); was the file cut short?") from None
    version = (
        cast(dict[str, Any], document).pop("schema_version", None) if isinstance(document, dict) else None
    )
    if version != SCHEMA_VERSION:
        raise InputError(f"schema_version={version} cannot be read; this Vestige reads {SCHEMA_VERSION}")
    return from_plain(AuditResult, document)
