"""Made-up populations with and without a leak."""

import numpy as np

from vestige.data import membership


def coins(design, models, samples, seed=0):
    if design == "paired":
        return membership.paired(models, samples, seed)
    if design == "independent":
        return stuck_free(models, samples, seed)
    return balanced(models, samples, seed)


def stuck_free(models, samples, seed):
    """Independent coins; a sample that is in all or no models is drawn anew."""
    random = np.random.default_rng(seed)
    mask = random.random((models, samples)) < 0.5
    while (stuck := (mask.all(0) | ~mask.any(0))).any():
        mask[:, stuck] = random.random((models, int(stuck.sum()))) < 0.5
    return membership.Membership(mask, "independent", seed)


def balanced(models, samples, seed):
    """Every sample in exactly half of the models, without pairs."""
    random = np.random.default_rng(seed)
    ranks = random.random((models, samples)).argsort(0)
    return membership.Membership(ranks < models // 2, "balanced", seed)


def signals(coins, leak, seed=0, spread=1.0):
    """Scaled logits: a sample's difficulty, noise, and the leak on members."""
    random = np.random.default_rng(seed + 1)
    models, samples = coins.mask.shape
    difficulty = random.normal(1.0, 1.5, samples)
    width = spread * np.exp(random.normal(0, 0.3, samples))
    return difficulty + leak * coins.mask + width * random.normal(size=(models, samples))


def described(samples, classes=2):
    """What attacks may be told of samples besides signals."""
    features = np.random.default_rng(samples).normal(size=(samples, 5))
    return {"labels": np.arange(samples) % classes, "features": features, "embeddings": features}
