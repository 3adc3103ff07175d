"""The relative attack RMIA and its tie-free form BASE."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.attacks.protocol import SCALED_LOGIT, Attack, Needs
from vestige.attacks.quantity import Tempered
from vestige.attacks.queries import average
from vestige.attacks.view import AttackView
from vestige.core import check

Values = Float64[np.ndarray, "samples augmentations"]
Publics = Float64[np.ndarray, "publics augmentations"]


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """How p(x | target) / p(x) is formed: which references p(x) averages, and at which temperature.

    online: p(x) is the mean over all references. Offline it is ((1 + a) p_out(x) + 1 - a) / 2, with p_out the
      mean over OUT references, from the model p_in = a p_out + 1 - a (Zarifzadeh et al. 2024).
    temperature: p is sigmoid(scaled logit / temperature): the softmax probability at that temperature for two
      classes, and with more classes that of the label against the rest.
    """

    online: bool
    temperature: float
    a: float

    def of_candidates(self, view: AttackView) -> Values:
        """log p(x | target) - log p(x) at the samples of the view."""
        tempered = Tempered(self.temperature)
        sides = view.moments(tempered)
        marginal = sides.mean_of_all() if self.online else self._from_out(sides.outside.mean)
        return tempered.log(view.target(SCALED_LOGIT)) - np.log(marginal)

    def of_publics(self, view: AttackView) -> Publics:
        """The same at the public samples, on which every model is an OUT model."""
        tempered = Tempered(self.temperature)
        mean = view.public_moments(tempered).mean
        marginal = mean if self.online else self._from_out(mean)
        return tempered.log(view.publics(SCALED_LOGIT)) - np.log(marginal)

    def describe(self) -> str:
        """The small print."""
        form = "online" if self.online else f"offline with a={self.a:g}"
        return f"{form}; temperature {self.temperature:g}, label against the rest"

    def _from_out(self, p_out: Values) -> Values:
        return 0.5 * ((1 + self.a) * p_out + (1 - self.a))


@dataclass(frozen=True, kw_only=True)
class BASE(Attack):
    """log p(x | target) - log p(x): RMIA's ratio itself, without the ties that comparing it brings.

    The options are those of RMIA with the same meaning. For one target RMIA is a nondecreasing function of
    this score. Queries are averaged on the log scale.
    """

    online: bool = True
    temperature: float = 2.0
    a: float = 0.3

    def __post_init__(self) -> None:
        _check_ratio(self.temperature, self.a)

    @property
    def name(self) -> str:
        """`base-online` or `base-offline`."""
        return f"base-{'online' if self.online else 'offline'}"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Lassila et al. 2025 (BASE); ratio of Zarifzadeh et al., ICML 2024"

    @property
    def needs(self) -> Needs:
        """The scaled logit and a reference on either side."""
        return Needs(in_references=1, out_references=1, one_sided=self.online)

    def describe(self) -> str:
        """The small print."""
        return self._ratio.describe()

    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """The log ratio in nats."""
        return view.map(lambda block: average(self._ratio.of_candidates(block)))

    @property
    def _ratio(self) -> Ratio:
        return Ratio(online=self.online, temperature=self.temperature, a=self.a)


@dataclass(frozen=True, kw_only=True)
class RMIA(Attack):
    """The share of samples z that x dominates: ratio(x) / ratio(z) >= gamma (Zarifzadeh et al. 2024, eq. 2).

    online, temperature, a: see Ratio; the defaults are those of the authors' image configuration, but with
      a plain softmax of the label against the rest in place of its Taylor expansion.
    gamma: how many times larger the ratio of x must be, at least 1.

    z are the public samples, or else the candidates themselves. The score takes at most as many values as
    there are z plus one, so it ties; BASE ranks the same without ties. With several queries each query is
    compared with the same query of z (or with the only one) and the shares are averaged; the majority vote of
    the authors' code would compare all pairs.
    """

    online: bool = True
    temperature: float = 2.0
    gamma: float = 2.0
    a: float = 0.3

    def __post_init__(self) -> None:
        _check_ratio(self.temperature, self.a)
        check.at_least("gamma", self.gamma, 1.0)

    @property
    def name(self) -> str:
        """`rmia-online` or `rmia-offline`."""
        return f"rmia-{'online' if self.online else 'offline'}"

    @property
    def paper(self) -> str:
        """Where the attack was published."""
        return "Zarifzadeh et al., ICML 2024"

    @property
    def needs(self) -> Needs:
        """The scaled logit and a reference on either side."""
        return Needs(in_references=1, out_references=1, one_sided=self.online)

    def describe(self) -> str:
        """The small print."""
        return f"{self._ratio.describe()}; gamma {self.gamma:g}; z = publics if given, else the candidates"

    def score(self, view: AttackView) -> Float64[np.ndarray, "samples"]:
        """The share of z that each sample dominates, 0 to 1."""
        ratios = _whole(view, self._ratio)
        publics = self._ratio.of_publics(view) if view.has_publics else None
        shares = np.empty_like(ratios)
        for query in range(ratios.shape[1]):
            others = None if publics is None else publics[:, query if publics.shape[1] > 1 else 0]
            shares[:, query] = _dominated(ratios[:, query], others, math.log(self.gamma))
        return average(shares)

    @property
    def _ratio(self) -> Ratio:
        return Ratio(online=self.online, temperature=self.temperature, a=self.a)


def _check_ratio(temperature: float, a: float) -> None:
    check.positive("temperature", temperature)
    check.within("a", a, 0.0, 1.0)


def _whole(view: AttackView, ratio: Ratio) -> Values:
    return np.concatenate([ratio.of_candidates(block) for block in view.blocks()])


def _dominated(
    ratios: Float64[np.ndarray, "samples"], others: Float64[np.ndarray, "others"] | None, log_gamma: float
) -> Float64[np.ndarray, "samples"]:
    """For each log ratio the share of the others (None: of all) at least log gamma below; NaN stays."""
    order = np.argsort(ratios)
    ascending = ratios[order]
    known = ascending if others is None else np.sort(others)
    known = known[: np.count_nonzero(~np.isnan(known))]
    # sorted queries make each search start where the last one ended
    below = np.searchsorted(known, ascending - log_gamma, side="right") / max(len(known), 1)
    shares = np.empty(len(ratios))
    shares[order] = np.where(np.isnan(ascending), np.nan, below)
    return shares
