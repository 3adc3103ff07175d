"""Slow twins of the attacks: loops over samples and references, nothing in closed form."""

import numpy as np
from scipy import stats
from scipy.special import expit

from vestige.data.membership import Membership


def loss_of(logit):
    return np.log1p(np.exp(-logit))


class Twin:
    """One target; values [models samples] are scaled logits."""

    def __init__(self, values: np.ndarray, membership: Membership, target: int) -> None:
        self.values = np.asarray(values, np.float64)
        self.mask = membership.mask
        self.usable = membership.reference_mask(target)
        self.target = target
        self.samples = range(values.shape[1])

    def references(self, sample, inside):
        models = [
            k for k in range(len(self.values)) if self.usable[k, sample] and self.mask[k, sample] == inside
        ]
        return np.array([self.values[k, sample] for k in models])

    def own(self, sample):
        return self.values[self.target, sample]

    def over_samples(self, function):
        return np.array([function(sample) for sample in self.samples])

    def pooled(self, inside):
        squares, freedom = 0.0, 0
        for sample in self.samples:
            values = self.references(sample, inside)
            if len(values):
                squares += sum((values - values.mean()) ** 2)
                freedom += len(values) - 1
        return squares, freedom

    def lira_online(self, variance="per-sample", center=np.mean):
        def one(sample):
            densities = []
            for inside in (True, False):
                values = self.references(sample, inside)
                if variance == "per-sample":
                    spread = np.std(values, ddof=1) if len(values) > 1 else np.nan
                elif variance == "per-side":
                    spread = np.sqrt(np.divide(*self.pooled(inside)))
                else:
                    sides = np.add(self.pooled(True), self.pooled(False))
                    spread = np.sqrt(sides[0] / sides[1])
                middle = center(values) if len(values) else np.nan
                densities.append(stats.norm.logpdf(self.own(sample), middle, spread))
            return densities[0] - densities[1]

        return self.over_samples(one)

    def lira_offline(self, variance="per-sample", tail="one-sided"):
        def one(sample):
            values = self.references(sample, False)
            spread = np.sqrt(np.divide(*self.pooled(False)))
            if variance == "per-sample":
                spread = np.std(values, ddof=1) if len(values) > 1 else np.nan
            if not len(values):
                return np.nan
            normal = stats.norm(values.mean(), spread)
            return (
                -normal.logsf(self.own(sample)) if tail == "one-sided" else -normal.logpdf(self.own(sample))
            )

        return self.over_samples(one)

    def ratios(self, online, temperature=2.0, a=0.3):
        def one(sample):
            outside = expit(self.references(sample, False) / temperature)
            inside = expit(self.references(sample, True) / temperature)
            if online:
                marginal = np.mean([*inside, *outside])
            else:
                marginal = 0.5 * ((1 + a) * np.mean(outside) + 1 - a) if len(outside) else np.nan
            return expit(self.own(sample) / temperature) / marginal

        return self.over_samples(one)

    def base(self, online, **options):
        return np.log(self.ratios(online, **options))

    def rmia(self, online, gamma=2.0, **options):
        ratios = self.ratios(online, **options)
        return np.array([np.mean([x / z >= gamma for z in ratios]) for x in ratios])

    def attack_r(self):
        return self.over_samples(
            lambda sample: np.mean(
                [loss_of(v) >= loss_of(self.own(sample)) for v in self.references(sample, False)]
            )
        )

    def calibrated_loss(self):
        return self.over_samples(
            lambda sample: np.mean(loss_of(self.references(sample, False))) - loss_of(self.own(sample))
        )

    def attack_p(self):
        row = self.values[self.target]
        return np.array([np.mean([loss_of(z) >= loss_of(x) for z in row]) for x in row])

    def loss_per_class(self, labels):
        def one(sample):
            sides = []
            for inside in (True, False):
                same = [s for s in self.samples if labels[s] == labels[sample]]
                sides.append(np.mean(np.concatenate([loss_of(self.references(s, inside)) for s in same])))
            return np.mean(sides) - loss_of(self.own(sample))

        return self.over_samples(one)

    def student_t(self, guard=2.0):
        sides = {inside: self._predictives(inside) for inside in (True, False)}

        def one(sample):
            top, bottom = sides[True][sample], sides[False][sample]
            x = min(self.own(sample), max(top[1], bottom[1]) + guard * top[2])
            return stats.t.logpdf(x, *top) - stats.t.logpdf(x, *bottom)

        return self.over_samples(one)

    def _predictives(self, inside):
        """(degrees of freedom, location, scale) of each sample."""
        references = [self.references(sample, inside) for sample in self.samples]
        squares, freedom = self.pooled(inside)
        v = squares / freedom
        within = [(np.var(r, ddof=1), len(r) - 1) for r in references if len(r) > 1]
        noise = np.mean([2 / df for _, df in within])
        seen = np.mean([(s - v) ** 2 for s, _ in within]) / v**2
        a0 = 2 + 1 / max((seen - noise) / (1 + noise), 1e-6)
        b0 = v * (a0 - 1)
        means = [r.mean() for r in references if len(r)]
        m0 = np.mean(means)
        between = np.var(means) - v * np.mean([1 / len(r) for r in references if len(r)])
        k0 = v / max(between, v / 1e6)
        result = []
        for r in references:
            n, mean = len(r), r.mean() if len(r) else m0
            kn, an = k0 + n, a0 + n / 2
            bn = b0 + 0.5 * sum((r - mean) ** 2) + k0 * n * (mean - m0) ** 2 / (2 * kn)
            result.append((2 * an, (k0 * m0 + n * mean) / kn, np.sqrt(bn * (kn + 1) / (an * kn))))
        return result
