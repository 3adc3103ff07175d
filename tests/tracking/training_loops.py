"""Training loops as users write them: dropout, batch norm, augmentation from three sources of chance."""

import random

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

SAMPLES, FEATURES, CLASSES = 90, 12, 3


def rows(seed=0, samples=SAMPLES):
    """Inputs [samples features] and labels that a small network can learn, with some of them wrong."""
    generator = np.random.default_rng(seed)
    labels = np.arange(samples) % CLASSES
    inputs = generator.normal(size=(samples, FEATURES)).astype(np.float32)
    inputs[:, :CLASSES] += 2 * np.eye(CLASSES, dtype=np.float32)[labels]
    wrong = generator.random(samples) < 0.15
    return inputs, np.where(wrong, (labels + 1) % CLASSES, labels)


def network(seed=0, features=FEATURES, classes=CLASSES, width=24):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(features, width),
        nn.BatchNorm1d(width),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Sequential(nn.Linear(width, width), nn.BatchNorm1d(width), nn.Dropout(0.5)),
        nn.Linear(width, classes),
    )


def augmented(inputs):
    """Noise from torch, numpy and Python, all from their global state."""
    noise = torch.randn(inputs.shape) * np.random.uniform(0.1, 0.2)  # noqa: NPY002
    return inputs + noise + random.gauss(0, 0.1)


def seeded(seed=7):
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)


def train(model, members, record=lambda model, step: None, epochs=3, data=None, lr=0.05, augment=True):
    """The loop; `record` is called at its start and after every epoch."""
    inputs, labels = map(torch.as_tensor, data or rows())
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    record(model, 0)
    for epoch in range(epochs):
        order = torch.as_tensor(np.flatnonzero(members))[torch.randperm(int(members.sum()))]
        for chosen in order.split(15):
            optimizer.zero_grad()
            shown = augmented(inputs[chosen]) if augment else inputs[chosen]
            cross_entropy(model(shown), labels[chosen]).backward()
            optimizer.step()
        record(model, epoch + 1)
    return optimizer


def half(seed, samples=SAMPLES):
    return np.random.default_rng(seed).random(samples) < 0.5
