"""What one cell of a sweep measures: a linear model on some records, and the noise of its release."""

import math
from dataclasses import dataclass, replace
from typing import get_args

from vestige.core import check
from vestige.core.errors import InputError
from vestige.designs.feature_map import features_from
from vestige.leakage.leakage import Kind
from vestige.leakage.linear_shift import regularization
from vestige.leakage.logistic_regression import METHODS
from vestige.leakage.private import Calibration, private_noise, private_shift
from vestige.leakage.randomness import GaussianOutput, Gibbs

MODELS = ("ridge", "logistic", "softmax")
CALIBRATIONS: tuple[str, ...] = ("auto", *get_args(Calibration))
DELTA = 1e-5


@dataclass(frozen=True, kw_only=True)
class LinearTask:
    """A linear model, trained on random records and released at random.

    model: ridge, logistic or softmax; None for logistic with two classes, else softmax.
    classes: those to keep, by number or name; empty for all. size: records, None for all.
    weight: of the ridge term; the objective is the mean loss plus weight/2 |theta|^2.
    sigma: standard deviation of Gaussian noise on the parameters; or epsilon and delta (1e-5), from which it
    follows; or the temperature of a Gibbs posterior, ridge only. Exactly one of the three.
    calibration: from epsilon to sigma; auto is classical up to epsilon = 1 and analytic beyond.
    features: raw, pca:K, relu:K or network:ARCHITECTURE@ROWS. method: alo, influence or exact.
    seed: which records are drawn, and random features.

    Raises InputError for values out of range.
    """

    model: str | None = None
    classes: tuple[str, ...] = ()
    size: int | None = None
    weight: int | float = 0.01
    sigma: int | float | None = None
    epsilon: int | float | None = None
    delta: float | None = None
    temperature: int | float | None = None
    calibration: str = "auto"
    features: str = "raw"
    method: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.model is not None:
            check.one_of("model", self.model, MODELS)
        if self.method is not None:
            check.one_of("method", self.method, METHODS)
        check.one_of("calibration", self.calibration, CALIBRATIONS)
        if self.size is not None:
            check.at_least("size", self.size, 3)
        regularization(self.weight, zero=self.model == "ridge")
        features_from(self.features)

    def with_model(self, classes: int) -> "LinearTask":
        """The task with its model named, for data of so many classes, after every check that needs no data.

        Raises InputError for a model that cannot tell so many classes, and for randomness that is absent,
        given twice, or not possible with the model.
        """
        model = self.model or ("logistic" if classes == 2 else "softmax")
        if model != "softmax" and classes != 2:
            raise InputError(
                f"model={model!r} needs exactly two classes and the data hold {classes}: name two, for "
                "example --classes 0,1, or use --model softmax"
            )
        if model == "ridge" and self.method == "influence":
            raise InputError("method='influence' is for logistic and softmax: ridge is exact; leave it out")
        named = replace(self, model=model)
        named.randomness(self.size or 3)
        return named

    def randomness(self, records: int) -> GaussianOutput | Gibbs:
        """What makes the release of a model trained on so many records random.

        Raises InputError unless exactly one of sigma, epsilon and temperature is given and within its range.
        """
        given = [name for name in ("sigma", "epsilon", "temperature") if getattr(self, name) is not None]
        if len(given) != 1:
            raise InputError(_given_wrongly(given))
        if self.delta is not None and self.epsilon is None:
            raise InputError(f"delta={self.delta} belongs to epsilon: give both, for example --epsilon 1")
        if self.temperature is not None:
            if self.model != "ridge":
                raise InputError(
                    f"temperature={self.temperature} is for --model ridge, the posterior of which is known"
                )
            return Gibbs(temperature=self.temperature)
        if self.sigma is not None:
            return GaussianOutput(sigma=self.sigma)
        return GaussianOutput(sigma=self._private_sigma(records))

    @property
    def kind(self) -> Kind:
        """What the values are with respect to the true ones."""
        return "exact" if self.model == "ridge" or self.method == "exact" else "estimate"

    @property
    def chosen_calibration(self) -> Calibration:
        """How epsilon becomes noise."""
        if self.calibration == "auto":
            return "classical" if (self.epsilon or 0) <= 1 else "analytic"
        return "classical" if self.calibration == "classical" else "analytic"

    @property
    def chosen_delta(self) -> float:
        """The delta that stands beside epsilon."""
        return DELTA if self.delta is None else self.delta

    @property
    def shift_allowed(self) -> float:
        """The largest shift, in standard deviations, that epsilon and delta allow any record."""
        assert self.epsilon is not None
        return private_shift(self.epsilon, self.chosen_delta, self.chosen_calibration)

    def sensitivity(self, records: int) -> float:
        """How far the removal of one record can move the parameters, inputs of norm at most 1.

        2 G / (records weight), by strong convexity, where G bounds the norm of a record's loss gradient: 1
        for logistic regression, sqrt 2 for softmax, 1 + 1/sqrt(weight) for ridge on targets -1 and +1, whose
        parameters have norm at most 1/sqrt(weight) at any minimum.

        Raises InputError at weight 0.
        """
        if not self.weight:
            raise InputError("weight=0 bounds no record's effect, so that epsilon asks for infinite noise")
        gradient = {"softmax": math.sqrt(2), "ridge": 1 + 1 / math.sqrt(self.weight)}.get(
            self.model or "", 1.0
        )
        return 2 * gradient / (records * self.weight)

    def _private_sigma(self, records: int) -> float:
        assert self.epsilon is not None
        return private_noise(
            self.sensitivity(records), self.epsilon, self.chosen_delta, self.chosen_calibration
        )


def _given_wrongly(given: list[str]) -> str:
    if given:
        return f"{' and '.join(given)} are given together: the release has one source of randomness; give one"
    return (
        "none of sigma, epsilon and temperature is given: without randomness, training with a record and "
        "training without it give two different points, and their divergence is infinite; give for example "
        "--sigma 0.05"
    )
