"""Digits under heavy noise, and a small network that memorizes some of them."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

MEMBERS = OTHERS = 400


@dataclass(frozen=True)
class NoisyDigits:
    module: nn.Module
    inputs: Tensor
    targets: Tensor
    member: np.ndarray


def noisy_digits(seed=0, smoothing=0.0, epochs=60):
    """400 members, 400 others, and a network trained on the members alone."""
    random = np.random.default_rng(seed)
    clean = load_digits()
    chosen = random.permutation(len(clean.data))[: MEMBERS + OTHERS]
    noisy = clean.data[chosen] / 16 + 0.4 * random.standard_normal((len(chosen), 64))
    inputs = torch.from_numpy(np.clip(noisy, 0, 1).astype(np.float32))
    targets = torch.from_numpy(clean.target[chosen].astype(np.int64))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = _trained(inputs[:MEMBERS], targets[:MEMBERS], smoothing, epochs)
    return NoisyDigits(module, inputs, targets, np.arange(len(chosen)) < MEMBERS)


def _trained(inputs, targets, smoothing, epochs):
    module = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(module.parameters(), 1e-3, weight_decay=1e-6, amsgrad=True)
    milestones = [epochs * 20 // 35, epochs * 30 // 35]
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, gamma=0.1)
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs)).split(64):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(
                module(inputs[batch]), targets[batch], label_smoothing=smoothing
            )
            loss.backward()
            optimizer.step()
        schedule.step()
    return module
