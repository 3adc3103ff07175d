"""Which parts of an input a model's answer rests on, through Captum."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from vestige.core import check
from vestige.core.errors import InputError
from vestige.models.probe import probing
from vestige.signals.convolutions import map_layer

BATCH = 64
STEPS = 32
TOLERANCE = 0.05  # of a sample's total attribution, by which the sum may miss the change of the logit


def captum() -> Any:
    """Captum's methods, an extra. Raises InputError where it is not installed."""
    try:
        import captum.attr
    except ImportError as error:
        raise InputError(
            'Grad-CAM and Integrated Gradients need Captum; pip install "vestige[explain]"'
        ) from error
    return captum.attr


@dataclass(frozen=True, eq=False)
class Integrated:
    """Attributions along a path of inputs.

    values: [samples ...], in logits; above 0 = speaks for the label.
    deltas: [samples], in logits, what the sum of a sample's values exceeds the change of the logit by.
    notes: what a reader should know.
    """

    values: Float32[np.ndarray, "samples ..."]
    deltas: Float32[np.ndarray, "samples"]
    notes: tuple[str, ...] = ()


def grad_cam(
    module: nn.Module, inputs: Tensor, targets: Tensor, *, layer: str | None = None, batch: int = BATCH
) -> Float32[np.ndarray, "samples height width"]:
    """Where a convolution speaks for the label: Grad-CAM (Selvaraju et al. 2017, eq. 1 and 2).

    ReLU of the layer's channels, each weighted by the mean gradient of the label's logit over its pixels.
    Height and width are the layer's own; values are in logits times pixels, 0 and up, not scaled.

    inputs: [samples channels height width]; targets: [samples]. layer: a name of `module.named_modules()`
      whose outputs are maps; None = the last convolution that runs. batch: samples in one pass.
    A single logit z speaks for label 1, and -z for label 0. The module is looked at in evaluation mode and
    left as it was; its weights get no gradient.

    Raises InputError for a model without convolutions, an unknown layer, one that gives no maps, labels that
    are no classes, and where Captum is not installed.
    """
    labels = _labels(module, inputs, targets, batch)
    _, part = map_layer(module, inputs, layer)
    method = captum().LayerGradCam(_logits(module), part)

    def maps(some: Tensor, those: Tensor) -> Tensor:
        return method.attribute(some.detach(), those, relu_attributions=True).squeeze(1)

    return _by_batch(module, maps, inputs, labels, batch)


def integrated_gradients(
    module: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    *,
    baseline: Tensor | None = None,
    steps: int = STEPS,
    batch: int = 512,
) -> Integrated:
    """How much each entry of an input adds to the label's logit (Sundararajan, Taly and Yan 2017, eq. 1).

    The gradient, averaged over the straight way from the baseline to the input, times their difference. The
    values of a sample sum to the logit's change from the baseline, but for the error of `steps` points
    (Gauss-Legendre), which comes back as `deltas` and is noted where it exceeds 5 %.

    inputs: [samples ...], floats as the model sees them; targets: [samples].
    baseline: [...], the input that stands for nothing; None = zeros, which is the mean of standardized data
      and the empty record of 0/1 data. batch: points in one pass.
    A single logit z speaks for label 1, and -z for label 0. The module is left as it was.

    Raises InputError for inputs that are not floats, labels that are no classes, a baseline of another
    shape, and where Captum is not installed.
    """
    check.at_least("steps", steps, 1)
    labels = _labels(module, inputs, targets, batch)
    start = _baseline(baseline, inputs)
    method = captum().IntegratedGradients(_logits(module))
    deltas: list[Tensor] = []

    def values(some: Tensor, those: Tensor) -> Tensor:
        found, delta = method.attribute(
            some, start, those, n_steps=steps, method="gausslegendre", return_convergence_delta=True
        )
        deltas.append(delta.float())
        return found

    integrated = _by_batch(module, values, inputs, labels, max(1, batch // steps))
    missed = torch.cat(deltas).cpu().numpy()
    return Integrated(integrated, missed, _incomplete(integrated, missed, steps))


def gradient_times_input(
    module: nn.Module, inputs: Tensor, targets: Tensor, *, batch: int = BATCH
) -> Float32[np.ndarray, "samples ..."]:
    """The gradient of the label's logit times the input, [samples ...] in logits; above 0 = for the label.

    Integrated Gradients from a baseline of zeros at a single point, the input itself (Shrikumar et al. 2016).
    inputs, targets, errors and single logits as in `integrated_gradients`; Captum is not needed.
    """
    labels = _labels(module, inputs, targets, batch)
    logits = _logits(module)

    def values(some: Tensor, those: Tensor) -> Tensor:
        points = some.detach().requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(logits(points).gather(1, those[:, None]).sum(), points)
        return slope * some

    return _by_batch(module, values, inputs, labels, batch)


def _by_batch(
    module: nn.Module,
    attribute: Callable[[Tensor, Tensor], Tensor],
    inputs: Tensor,
    labels: Tensor,
    batch: int,
) -> Float32[np.ndarray, "samples ..."]:
    pairs = zip(inputs.split(batch), labels.split(batch), strict=True)
    with probing(module), _frozen(module):
        parts = [attribute(some, those).detach().float().cpu() for some, those in pairs]
    return torch.cat(parts).numpy()


@contextmanager
def _frozen(module: nn.Module) -> Generator[None]:
    """Weights without gradients, so that nothing before the layer that is asked about is kept for them."""
    learning = [weight for weight in module.parameters() if weight.requires_grad]
    try:
        for weight in learning:
            weight.requires_grad_(False)
        yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)


def _logits(module: nn.Module) -> Callable[[Tensor], Tensor]:
    """The model with one logit per class; (0, z) would have no gradient for label 0, so z becomes (-z, z)."""

    def logits(inputs: Tensor) -> Tensor:
        found: Tensor = module(inputs)
        found = found.unsqueeze(-1) if found.dim() == 1 else found
        return torch.cat([-found, found], -1) if found.shape[-1] == 1 else found

    return logits


def _labels(module: nn.Module, inputs: Tensor, targets: Tensor, batch: int) -> Tensor:
    """The labels as indices on the inputs' device, once all that was given has been looked at."""
    check.at_least("batch", batch, 1)
    if not inputs.is_floating_point():
        raise InputError(f"inputs are {inputs.dtype}; give them as the model sees them, in float32")
    if len(inputs) != len(targets) or not len(inputs):
        raise InputError(f"inputs has {len(inputs)} rows and targets {len(targets)}; give one label per row")
    with probing(module):
        classes = _logits(module)(inputs[:1]).shape[-1]
    low, high = int(targets.min()), int(targets.max())
    if low < 0 or high >= classes:
        raise InputError(f"targets run from {low} to {high}; the model has the classes 0 to {classes - 1}")
    return targets.long().to(inputs.device)


def _baseline(baseline: Tensor | None, inputs: Tensor) -> Tensor:
    """The baseline with a batch axis of one."""
    if baseline is None:
        return torch.zeros_like(inputs[:1])
    if baseline.shape != inputs.shape[1:]:
        raise InputError(
            f"baseline has shape {tuple(baseline.shape)}; give that of one input, {tuple(inputs.shape[1:])}"
        )
    return baseline.to(inputs)[None]


def _incomplete(values: np.ndarray, deltas: np.ndarray, steps: int) -> tuple[str, ...]:
    total = np.abs(values).reshape(len(values), -1).sum(1)
    missing = int((np.abs(deltas) > TOLERANCE * total).sum())
    if not missing:
        return ()
    return (
        f"In {missing} of {len(deltas)} samples the attributions miss the change of the logit by more than "
        f"{TOLERANCE:.0%} of their total; more than {steps} steps would bring them nearer.",
    )
