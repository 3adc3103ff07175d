"""Ridge regression with more features than records: what predictions tell, and what parameters do.

Tan, Mason, Javidi and Baraniuk 2022 (arXiv 2202.01243), of which the abstract was at hand, find that more
ridge makes membership inference on predictions easier here. Which attack they use is a reconstruction.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from vestige.core import seeds

RECORDS, FEATURES, NOISE = 25, 100, 0.5
WEIGHTS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
TRIALS, AT_ONCE = 20_000, 1000
RELEASE = 0.05  # sigma of the noise where the parameters are released

Trials = Float64[np.ndarray, "trials"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """What models say of a record in their training set (within) and of the same record without it.

    All in units of the record's norm. target: the record's own. kl: of the parameters with noise, in nats.
    """

    within: Float64[np.ndarray, "trials"]
    without: Float64[np.ndarray, "trials"]
    target: Float64[np.ndarray, "trials"]
    kl: Float64[np.ndarray, "trials"]


def attacks_on_predictions(repetitions: int, trials: int = TRIALS) -> pd.DataFrame:
    """Advantage of three attacks on one prediction over the ridge weight, and the KL of noisy parameters."""
    rows: list[dict[str, Any]] = []
    for weight, seed in itertools.product(WEIGHTS, range(repetitions)):
        drawn = predictions(weight, seed, trials)
        found = {
            "advantage, prediction alone": advantage(np.abs(drawn.within), np.abs(drawn.without)),
            "advantage, residual": advantage(
                -np.abs(drawn.within - drawn.target), -np.abs(drawn.without - drawn.target)
            ),
            "advantage, prediction and target": _joint(drawn),
            "kl mean": float(drawn.kl.mean()),
        }
        rows += [
            {
                "setting": f"Gaussian, {RECORDS} records, {FEATURES} features",
                "axis": "weight", "x": weight, "seed": seed, "quantity": quantity, "value": value,
            }
            for quantity, value in found.items()
        ]  # fmt: skip
    return pd.DataFrame(rows)


def predictions(weight: float, seed: int, trials: int = TRIALS) -> Predictions:
    """Many training sets: inputs N(0, I), targets x'beta + N(0, noise^2), beta ~ N(0, I / features)."""
    parts = [_block(weight, seed, part) for part in range(-(-trials // AT_ONCE))]
    columns = [np.concatenate(column)[:trials] for column in zip(*parts, strict=True)]
    return Predictions(within=columns[0], without=columns[1], target=columns[2], kl=columns[3])


def advantage(within: Trials, without: Trials) -> float:
    """TPR - FPR of the threshold that is best on one half of the trials, measured on the other half."""
    half = len(within) // 2
    scores = np.concatenate([within[:half], without[:half]])
    order = np.argsort(-scores)
    gain = np.cumsum(np.where(order < half, 1, -1))
    threshold = scores[order[int(np.argmax(gain))]]
    named: tuple[Bool[np.ndarray, "trials"], ...] = (within[half:] >= threshold, without[half:] >= threshold)
    return float(named[0].mean() - named[1].mean())


def _joint(drawn: Predictions) -> float:
    """Likelihood ratio of prediction and target, both normal, fitted where the threshold is set."""
    half = len(drawn.target) // 2
    sides = [np.stack([said, drawn.target]) for said in (drawn.within, drawn.without)]
    spreads = [np.cov(side[:, :half]) for side in sides]

    def score(side: Float64[np.ndarray, "two trials"]) -> Trials:
        squares = [np.einsum("it,ij,jt->t", side, np.linalg.inv(spread), side) for spread in spreads]
        return squares[1] - squares[0]

    return advantage(score(sides[0]), score(sides[1]))


def _block(weight: float, seed: int, part: int) -> tuple[Trials, ...]:
    """Models of RECORDS - 1 common records and, last, either the record asked about or another one."""
    generator = seeds.generator(seed, "predictions", part)
    x = generator.standard_normal((AT_ONCE, RECORDS + 1, FEATURES))
    beta = generator.standard_normal((AT_ONCE, FEATURES)) / np.sqrt(FEATURES)
    y = np.einsum("tnd,td->tn", x, beta) + NOISE * generator.standard_normal((AT_ONCE, RECORDS + 1))
    # Products a'A^-1 b with A = X'X + ridge I of the common records, for the two others a and b
    ridge = RECORDS * weight
    gram = x @ x.transpose(0, 2, 1)
    common, across = gram[:, 2:, 2:], gram[:, :2, 2:]
    solved = np.linalg.solve(common + ridge * np.eye(RECORDS - 1), across.transpose(0, 2, 1))
    products = (gram[:, :2, :2] - across @ solved) / ridge
    said = np.einsum("tnk,tn->tk", solved, y[:, 2:])
    step = (y[:, :2] - said) / (1 + np.einsum("tkk->tk", products))
    within = said[:, 0] + products[:, 0, 0] * step[:, 0]
    without = said[:, 0] + products[:, 0, 1] * step[:, 1]
    norm = np.sqrt(gram[:, 0, 0])
    return within / norm, without / norm, y[:, 0] / norm, _parameter_kl(x, solved, step, ridge)


def _parameter_kl(x: np.ndarray, solved: np.ndarray, step: np.ndarray, ridge: float) -> Trials:
    """Of parameters with and without the record asked about, beside the common ones, with Gaussian noise."""
    # A^-1 x of the record asked about
    direction = (x[:, 0] - np.einsum("tnd,tn->td", x[:, 2:], solved[:, :, 0])) / ridge
    return np.sum(direction**2, axis=1) * step[:, 0] ** 2 / (2 * RELEASE**2)
