"""Everything that was found in a run, before it is put on a page."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from vestige.explanations.attributed import Attributed
from vestige.explanations.groups import Groups
from vestige.explanations.opened_run import Grid
from vestige.explanations.portraits import Shown
from vestige.explanations.why import Members
from vestige.report.explanation_page import Plot2D
from vestige.vulnerability.vulnerable import VulnerableSets


@dataclass(frozen=True, eq=False)
class Found:
    """What was found.

    scores, sets: by rule. rule: the one that decides who counts as vulnerable.
    seen: the members of each examined model, the shown one's first. shown: who of them is shown.
    attributions: None without any. groups: None where none were given.
    """

    rule: str
    scores: dict[str, Grid]
    sets: dict[str, VulnerableSets]
    seen: tuple[Members, ...]
    shown: Shown
    attributions: Attributed | None
    plot: Plot2D
    groups: Groups | None

    @property
    def headline(self) -> VulnerableSets:
        """The sets of the rule that decides."""
        return self.sets[self.rule]

    @property
    def vulnerable(self) -> Bool[np.ndarray, "members"]:
        """Which members of the shown model are given away."""
        return self.headline.sets[self.seen[0].target][self.seen[0].samples]
