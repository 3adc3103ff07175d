"""What a user may choose of an explanation."""

import dataclasses
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vestige.core import check
from vestige.core.errors import InputError, unknown_name

RULES = ("reference", "lira", "global")
ATTRIBUTIONS = ("auto", "grad-cam", "integrated-gradients", "gradient-x-input", "none")


@dataclass(frozen=True, kw_only=True)
class ExplainOptions:
    """What a user may set.

    target: the model that pictures and records show. rule: who counts as vulnerable, one of "reference",
      "lira" and "global"; the others stand beside it. fpr: the error rate at which members are named.
    models: how many models the averages of features are taken over.
    layer: the name of the convolution that Grad-CAM looks at; None takes the last.
    attribution: "auto" is Grad-CAM where the model has a convolution, else Integrated Gradients.
    groups: one per record, to compare; or a file with such a column (see `groups.groups_of`).
    perplexity: of t-SNE; None takes 30, or less where members are few. points: the most that it embeds.
    records: how many the gallery shows.

    Raises InputError for values out of range and unknown names.
    """

    target: int = 0
    rule: str = "reference"
    fpr: float = 0.01
    models: int = 4
    groups: Any = None
    layer: str | None = None
    attribution: str = "auto"
    perplexity: int | float | None = None
    points: int = 10_000
    records: int = 400

    def __post_init__(self) -> None:
        check.at_least("target", self.target, 0)
        check.one_of("rule", self.rule, RULES)
        check.one_of("attribution", self.attribution, ATTRIBUTIONS)
        check.at_least("models", self.models, 1)
        if self.perplexity is not None:
            check.positive("perplexity", self.perplexity)
        check.at_least("points", self.points, 10)
        check.at_least("records", self.records, 1)
        if not 0 < self.fpr < 1:
            raise InputError(f"fpr={self.fpr} must lie strictly between 0 and 1, such as 0.01")
        if self.layer is not None and self.attribution not in ("auto", "grad-cam"):
            raise InputError(
                f"layer={self.layer!r} is for Grad-CAM, but attribution={self.attribution!r}; leave one out"
            )

    @property
    def group_title(self) -> str:
        """What the groups are called: the file that they come from, where there is one."""
        return str(self.groups) if isinstance(self.groups, str | Path) else "groups"

    def changed(self) -> dict[str, Any]:
        """The options that differ from their defaults; groups that are an array stand as a word."""
        fields = [f for f in dataclasses.fields(self) if f.name != "groups"]
        found = {f.name: getattr(self, f.name) for f in fields if getattr(self, f.name) != f.default}
        return found if self.groups is None else {**found, "groups": self.group_title}

    def command(self, run_folder: Path) -> str:
        """The command that makes the explanation again."""
        words = [f"--{name}={value}" for name, value in self.changed().items()]
        return shlex.join(["vestige", "explain", str(run_folder), *words])

    def python_call(self, run_folder: Path) -> str:
        """The call from Python that makes the explanation again."""
        words = [f"{name}={value!r}" for name, value in self.changed().items()]
        return f"vestige.explain({', '.join([repr(str(run_folder)), *words])})"


def options_from(given: Mapping[str, Any]) -> ExplainOptions:
    """The options of these names; those that are None keep their defaults.

    Raises InputError for an unknown name or a value out of range.
    """
    known = [field.name for field in dataclasses.fields(ExplainOptions)]
    for name in given:
        if name not in known:
            raise unknown_name("option", name, known)
    return ExplainOptions(**{name: value for name, value in given.items() if value is not None})
