"""What references say about how the rest of a training set moves each sample's signal."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64

from vestige.attacks.calibration import Calibration, calibrated
from vestige.attacks.conditioning import Conditioning, condition, sensitivities, taken_off
from vestige.attacks.evidence import Evidence, pseudo_targets
from vestige.attacks.hierarchy import Hierarchy, Posterior, fit
from vestige.attacks.stacking import Columns, Stack, readings, stacked
from vestige.attacks.surrogate import Response, Responses
from vestige.attacks.view import AttackView

Samples = Float64[np.ndarray, "samples"]


@dataclass(frozen=True)
class Parts:
    """What of the fit is in use; all of it but in an ablation.

    expectation: the usual response, in what the prior expects of a sample. neighbors: the shift by who else
    is a member. known: the coins of references that play the target are told, not guessed.
    """

    expectation: bool = True
    neighbors: bool = True
    known: bool = False


EVERY_PART = Parts()


@dataclass(frozen=True, eq=False)
class Player:
    """A reference in the part of the target.

    raw, cleaned: its own signals beside those of the other references, as they are and without what their
    training sets did to them. member: its coins; usable: where they may be looked at. shift: the response to
    its guessed training set, beyond that to its size.
    """

    raw: Evidence
    cleaned: Evidence
    member: Bool[np.ndarray, "samples"]
    usable: Bool[np.ndarray, "samples"]
    shift: Response


@dataclass(frozen=True, eq=False)
class Neighborhood:
    """All that is fitted on the references of one target.

    usual: the response when every sample has the same chance. raw, clean: the priors over signals as they are
    and over those without what their training sets did to them, which `cleaned` holds. calibration: from
    first scores to chances. conditioning: how a target follows the response to its guessed training set.
    parts: what of all this is in use.
    """

    usual: Response
    raw: Hierarchy
    clean: Hierarchy
    cleaned: Evidence
    calibration: Calibration
    conditioning: Conditioning
    players: tuple[Player, ...]
    parts: Parts

    def shift(self, responses: Responses, chances: Samples) -> Response:
        """The response to a target's guessed training set, beyond that to its size."""
        return responses.beyond_number(chances) * self.parts.neighbors

    def first(self, found: Evidence) -> Samples:
        """The log likelihood ratio without neighbors, which chances are made of."""
        return self.raw.posterior(found.sides).log_ratio(found.target)

    def log_ratio(self, cleaned: Evidence, shift: Response) -> Samples:
        """The log likelihood ratio given the response to the target's guessed training set."""
        return _log_ratio(self.clean.posterior(cleaned.sides), cleaned.target, shift, self.conditioning)

    def columns(self, raw: Evidence, cleaned: Evidence, shift: Response) -> Columns:
        """The readings of every sample with and without neighbors."""
        posterior, conditioning = self.clean.posterior(cleaned.sides), self.conditioning
        moves = [shift @ slope for slope in conditioning.slopes]
        parts = zip(posterior.means, posterior.variances, moves, conditioning.scales, strict=True)
        distances = [
            (cleaned.target - mean - move) / np.sqrt(scale * variance)
            for mean, variance, move, scale in parts
        ]
        score = _log_ratio(posterior, cleaned.target, shift, conditioning)
        return np.column_stack([readings(raw, self.raw), self.usual, score, *moves, *distances])

    @cached_property
    def stack(self) -> Stack:
        """The trees that make one score of the readings, learned on the references that play the target."""
        rows = [self.columns(one.raw, one.cleaned, one.shift)[one.usable] for one in self.players]
        return stacked(np.concatenate(rows), np.concatenate([one.member[one.usable] for one in self.players]))


def neighborhood(
    view: AttackView,
    found: Evidence,
    responses: Responses,
    classes: Float64[np.ndarray, "samples classes"],
    most: int,
    parts: Parts = EVERY_PART,
) -> Neighborhood:
    """The fit for a view's target, with at most so many references that play it."""
    usual = responses.to_known(np.full(len(found.target), round(found.rate, 2)))
    known = np.column_stack([classes, _quadratic(usual)]) if parts.expectation else classes
    sides = (found.usable & ~found.inside, found.inside)
    shifts = np.stack([responses.to_known(coins) - usual for coins in found.coins()]) * parts.neighbors
    slopes = sensitivities(found.values, shifts, sides)
    cleaned = found.replaced(taken_off(found.values, shifts, sides, slopes))
    raw, clean = fit(found.sides, known), fit(cleaned.sides, known)
    places = pseudo_targets(found, most)
    calibration, chances = _guessed(view, found, raw, places)
    told = [found.inside[place].astype(np.float64) for place in places] if parts.known else None
    players = tuple(
        Player(
            found.of_pseudo_target(view, place),
            cleaned.of_pseudo_target(view, place).with_target(found.values[place]),
            found.inside[place],
            found.usable[place],
            responses.beyond_number(chance) * parts.neighbors,
        )
        for place, chance in zip(places, told or chances, strict=True)
    )
    return Neighborhood(
        usual, raw, clean, cleaned, calibration, _conditioning(players, clean), players, parts
    )


def _guessed(
    view: AttackView, found: Evidence, prior: Hierarchy, places: list[int]
) -> tuple[Calibration, list[Samples]]:
    """How first scores become chances, and the chances of each reference that plays the target."""
    others = [found.of_pseudo_target(view, place) for place in places]
    scores = [prior.posterior(one.sides).log_ratio(one.target) for one in others]
    told = [found.usable[place] for place in places]
    calibration = calibrated(
        np.concatenate([score[usable] for score, usable in zip(scores, told, strict=True)]),
        np.concatenate([found.inside[place, usable] for place, usable in zip(places, told, strict=True)]),
    )
    return calibration, [calibration.chances(score) for score in scores]


def _conditioning(players: tuple[Player, ...], clean: Hierarchy) -> Conditioning:
    posteriors = [clean.posterior(one.cleaned.sides) for one in players]
    targets = np.stack([one.cleaned.target for one in players])
    member = np.stack([one.member for one in players])
    usable = np.stack([one.usable for one in players])

    def both(name: str) -> list[Float64[np.ndarray, "players samples"]]:
        return [np.stack([getattr(one, name)[side] for one in posteriors]) for side in (0, 1)]

    means = both("means")
    doubts, variances = both("uncertainty"), both("variances")
    return condition(
        (targets - means[0], targets - means[1]),
        np.stack([one.shift for one in players]),
        (usable & ~member, member),
        ((doubts[0], variances[0]), (doubts[1], variances[1])),
    )


def _log_ratio(posterior: Posterior, x: Samples, shift: Response, conditioning: Conditioning) -> Samples:
    out, into = (shift @ slope for slope in conditioning.slopes)
    return posterior.log_ratio(x, (out, into), conditioning.scales)


def _quadratic(responses: Response) -> Float64[np.ndarray, "samples covariates"]:
    """The responses, their squares and their products."""
    one, other = np.triu_indices(responses.shape[1])
    return np.column_stack([responses, responses[:, one] * responses[:, other]])
