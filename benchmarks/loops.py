"""Training loops as other tools write them, in plain PyTorch on its own defaults, one model at a time."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

from benchmarks.problem import Problem

Pair = tuple[Tensor, ...]  # inputs and targets of a batch
Samples = Dataset[Pair]
EVALUATION_BATCH = 512  # as large as ours, in the loops' favor


@dataclass(frozen=True)
class Loop:
    """A DataLoader loop.

    workers: loader processes, started anew for each pass as is the default of a DataLoader.
    watches: whether it sums up training loss and accuracy at each step and evaluates the held-out half
      after each epoch, as ML Privacy Meter's trainer does.
    """

    workers: int = 0
    watches: bool = False

    def __call__(self, problem: Problem, epochs: int, passes: int) -> list[Tensor]:
        """Train one model for some epochs; the scaled logits of every sample after each signal pass."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)  # few cores
            return self._train(problem, epochs, passes)

    def _train(self, problem: Problem, epochs: int, passes: int) -> list[Tensor]:
        samples = TensorDataset(
            torch.from_numpy(problem.dataset.as_floats()), torch.from_numpy(problem.dataset.targets)
        )
        mask = torch.from_numpy(problem.membership.mask[0])
        members = Subset(samples, mask.nonzero()[:, 0].tolist())
        others = Subset(samples, (~mask).nonzero()[:, 0].tolist())
        module = problem.module()
        optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)
        loader = self._loader(members, problem.batch_size, shuffle=True)
        held_out = self._loader(others, EVALUATION_BATCH)
        everything = self._loader(samples, EVALUATION_BATCH)
        moments = [round((i + 1) * epochs / passes) - 1 for i in range(passes)]
        signals: list[Tensor] = []
        for epoch in range(epochs):
            self._epoch(module, optimizer, loader)
            if self.watches:
                evaluate(module, held_out)
            signals += [scaled_logits(module, everything) for moment in moments if moment == epoch]
        return signals

    def _loader(self, samples: Samples, batch_size: int, shuffle: bool = False) -> DataLoader[Pair]:
        return DataLoader(samples, batch_size, shuffle=shuffle, num_workers=self.workers)

    def _epoch(self, module: nn.Module, optimizer: torch.optim.Optimizer, loader: Iterable[Pair]) -> None:
        module.train()
        total, correct = 0.0, 0
        for inputs, targets in loader:
            optimizer.zero_grad(set_to_none=True)
            logits = module(inputs)
            loss = cross_entropy(logits, targets)
            loss.backward()
            optimizer.step()
            if self.watches:
                total += loss.item()
                correct += (logits.argmax(1) == targets).sum().item()


CLEAN = Loop()
METER = Loop(watches=True)
METER_DEFAULTS = Loop(workers=4, watches=True)


@torch.no_grad()
def evaluate(module: nn.Module, loader: Iterable[Pair]) -> tuple[float, int]:
    """The summed loss, and how many answers are right."""
    module.eval()
    total, correct = 0.0, 0
    for inputs, targets in loader:
        logits = module(inputs)
        total += cross_entropy(logits, targets, reduction="sum").item()
        correct += (logits.argmax(1) == targets).sum().item()
    return total, int(correct)


@torch.no_grad()
def scaled_logits(module: nn.Module, loader: Iterable[Pair]) -> Tensor:
    """log p_y / (1 - p_y) of every sample of the loader."""
    module.eval()
    parts: list[Tensor] = []
    for inputs, targets in loader:
        logits = module(inputs)
        label = logits.gather(1, targets[:, None])
        rest = logits.scatter(1, targets[:, None], -torch.inf).logsumexp(1)
        parts.append(label[:, 0] - rest)
    return torch.cat(parts)
