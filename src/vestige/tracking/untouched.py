"""A measurement that leaves a training run as it found it."""

import random
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

REDUCED = ("tf32", "bf16")


@contextmanager
def untouched(model: nn.Module, generator: torch.Generator | None = None) -> Generator[None]:
    """The model in evaluation mode and true float32 arithmetic; afterwards everything is as before.

    Kept: the random state of torch (CPU and CUDA), numpy, Python and of the generator given; the training
    flag of every submodule; buffers; grad mode and autocast; float32 precision. Gradients are not written.
    """
    with ExitStack() as kept:
        kept.enter_context(_random_state(generator))
        kept.enter_context(_full_precision())
        for kind in {"cpu", device_of(model).type}:
            kept.enter_context(torch.autocast(kind, enabled=False))
        # not inference mode: tensors that a model caches there could not be used in training afterwards
        kept.enter_context(torch.no_grad())
        kept.enter_context(_buffers(model))
        kept.enter_context(_evaluation(model))
        yield


def device_of(model: nn.Module) -> torch.device:
    """Where the model's first parameter or buffer is; the CPU if it has none."""
    for tensor in (*model.parameters(), *model.buffers()):
        return tensor.device
    return torch.device("cpu")


@contextmanager
def _evaluation(model: nn.Module) -> Generator[None]:
    # flags alone, not train() and eval(): modules override those, to merge adapters into weights for one
    flags = {module: module.training for module in model.modules()}
    try:
        for module in flags:
            module.training = False
        yield
    finally:
        for module, flag in flags.items():
            module.training = flag


@contextmanager
def _buffers(model: nn.Module) -> Generator[None]:
    saved = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        for buffer, value in saved:
            if not torch.equal(buffer, value):
                buffer.copy_(value)


@contextmanager
def _random_state(generator: torch.Generator | None) -> Generator[None]:
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    own = None if generator is None else generator.get_state()
    numbers, python = np.random.get_state(), random.getstate()  # noqa: NPY002 (the user's own global state)
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            np.random.set_state(numbers)  # noqa: NPY002
            random.setstate(python)
            if generator is not None and own is not None:
                generator.set_state(own)


@contextmanager
def _full_precision() -> Generator[None]:
    saved = [(backend, name, getattr(backend, name)) for backend, name in _precision_settings()]
    try:
        for backend, name, value in saved:
            if value in REDUCED:
                setattr(backend, name, "ieee")
            elif value is True:
                setattr(backend, name, False)
        yield
    finally:
        for backend, name, value in saved:
            if getattr(backend, name) != value:
                setattr(backend, name, value)


def _precision_settings() -> list[tuple[Any, str]]:
    backends: Any = torch.backends
    if not hasattr(backends.cuda.matmul, "fp32_precision"):  # torch before 2.9
        return [(backends.cuda.matmul, "allow_tf32"), (backends.cudnn, "allow_tf32")]
    own = [backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn]
    own += [backends.mkldnn.matmul, backends.mkldnn.conv, backends.mkldnn.rnn]
    return [(backend, "fp32_precision") for backend in own]
