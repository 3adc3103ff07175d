"""The likelihood ratio given the other members, whose coins are guessed together."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

from vestige.attacks.evidence import Evidence
from vestige.attacks.hierarchical import CHECKPOINTS, LEAST_REFERENCES, classes, gathered
from vestige.attacks.neighborhood import Neighborhood, Parts, neighborhood
from vestige.attacks.pool import Pool
from vestige.attacks.protocol import Attack, Needs
from vestige.attacks.stacking import LEAST_ROWS, without_trees
from vestige.attacks.view import AttackView
from vestige.core import check
from vestige.core.record import LATER

Samples = Float64[np.ndarray, "samples"]
KERNELS = ("inputs", "embeddings")
PARTS = ("expectation", "neighbors")
INDISTINCT = 0.5  # the share of copies beyond which features are of no use


@dataclass(frozen=True, kw_only=True)
class Joint(Attack):
    """The hierarchical likelihood ratio of all candidates at once, given who else was in the training set.

    A kernel machine says how each sample is predicted by the others of any training set, the sample itself
    taken out. On references, whose training sets are known, that explains part of what a likelihood ratio
    takes for noise. A first score gives every candidate a chance of membership. The response to these
    chances, less that to as many members of whom nothing is known, shifts both locations of every sample, by
    as much as it does for references that play the target.

    **Transductive**: it takes one model's signals at all candidates together, and helps where they make up
    the training set. LiRA takes them one by one. No coin of the target enters; a sample's own chance does
    not enter its own shift.

    kernel: "inputs", the neural tangent kernel of one wide layer on the samples' features, or "embeddings",
      the same on what references make of a sample in their last layer but one, the mean over a few.
    landmarks: how many samples span the kernel (Nystrom); as many as there are samples is exact.
    prior: the share of the candidates that the target trained on; None takes that of the references.
    pseudo_targets: how many references play the target at most.
    stacked: let trees make one score of all readings, as in `Hierarchical`; with few samples without them.
    sources: how many references' embeddings at most, none of them the target's or its complement's.
    checkpoints: "scored" or "all", as in `Hierarchical`.
    seed: of the landmarks.
    expectation, neighbors: whether the response to a usual training set enters what is expected of a sample,
      and whether the shift by who else is a member enters at all; to tell what each of them gives.
    """

    kernel: str = "inputs"
    landmarks: int = 500
    prior: float | None = None
    pseudo_targets: int = 8
    stacked: bool = False
    sources: int = 4
    checkpoints: str = "scored"
    seed: int = 0
    expectation: bool = field(default=True, metadata=LATER)
    neighbors: bool = field(default=True, metadata=LATER)

    def __post_init__(self) -> None:
        check.one_of("kernel", self.kernel, KERNELS)
        check.at_least("landmarks", self.landmarks, 2)
        check.at_least("pseudo_targets", self.pseudo_targets, 1)
        check.at_least("sources", self.sources, 1)
        check.one_of("checkpoints", self.checkpoints, CHECKPOINTS)
        if self.prior is not None:
            check.within("prior", self.prior, 0.001, 0.999)

    @property
    def name(self) -> str:
        """`joint`, with `-embeddings`, `-checkpoints`, `-stacked`, and what it goes without."""
        kernel = "" if self.kernel == "inputs" else f"-{self.kernel}"
        every = "-checkpoints" if self.checkpoints == "all" else ""
        without = "".join(f"-without-{name}" for name in PARTS if not getattr(self, name))
        return f"joint{kernel}{every}{'-stacked' if self.stacked else ''}{without}"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Vestige 2026"

    @property
    def needs(self) -> Needs:
        """The scaled logit, labels, features or embeddings, and four references."""
        return Needs(
            in_references=1, out_references=1, references=LEAST_REFERENCES, one_sided=True, labels=True,
            features=self.kernel == "inputs", embeddings=self.kernel == "embeddings",
            all_checkpoints=self.checkpoints == "all",
        )  # fmt: skip

    @property
    def is_log_ratio(self) -> bool:
        """True."""
        return True

    @property
    def is_transductive(self) -> bool:
        """True."""
        return True

    def describe(self) -> str:
        """The small print."""
        return (
            f"all candidates at once; kernel on {self.kernel}, {self.landmarks} landmarks"
            f"{'; stacked' if self.stacked else ''}{'; all checkpoints' if self.checkpoints == 'all' else ''}"
        )

    def notes(self, pool: Pool) -> tuple[str, ...]:
        """Where trees had too few samples; and, once targets are scored, how many samples are copies."""
        trees = without_trees(pool.player_rows(self.pseudo_targets)) if self.stacked else ()
        return (*trees, *self._copies(pool))

    def _copies(self, pool: Pool) -> tuple[str, ...]:
        copied, samples = pool.num_copied(self.kernel == "embeddings"), pool.num_samples
        if not copied:
            return ()
        told = "features" if self.kernel == "inputs" else self.kernel
        if copied > samples * INDISTINCT:
            return (
                f"{told} do not tell samples apart: {copied} of {samples} have the same as another one, seen "
                "from their mean; use hierarchical, which goes without",
            )
        return (
            f"{copied} samples are copies of one another in their {told}, seen from the mean: their shift "
            "holds their own coins by way of the copy, so that the attack says little of them",
        )

    def score(self, view: AttackView) -> Samples:
        """The log likelihood ratio in nats."""
        found = gathered(view, self.checkpoints)
        sources = None if self.kernel == "inputs" else self.sources
        responses = view.responses(self.landmarks, self.seed, sources)
        model = view.latest(
            (self, found.digest()),
            lambda: neighborhood(
                view, found, responses, classes(view.labels), self.pseudo_targets, self.parts
            ),
        )
        shift = model.shift(responses, self.chances(model, found))
        cleaned = model.cleaned.with_target(found.target)
        if not self.stacked or view.player_rows(self.pseudo_targets) < LEAST_ROWS:
            return model.log_ratio(cleaned, shift)
        return model.stack.log_ratio(model.columns(found, cleaned, shift))

    @property
    def parts(self) -> Parts:
        """What of the fit is in use."""
        return Parts(self.expectation, self.neighbors)

    def chances(self, model: Neighborhood, found: Evidence) -> Samples:
        """The chance that the target trained on each sample."""
        prior = found.rate if self.prior is None else self.prior
        return model.calibration.with_prior(prior, found.rate).chances(model.first(found))
