"""Where a model looks for the labels of its members."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor, nn

from vestige.audits.pages import FLAT_IMAGES
from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.explanations.opened_run import OpenedRun
from vestige.explanations.options import ExplainOptions
from vestige.explanations.why import Members
from vestige.signals import attribution
from vestige.signals.convolutions import last_convolution, map_layer
from vestige.vulnerability.attention import BY_NAME, Attention, attention, concentration
from vestige.vulnerability.contrast import Contrast, contrast

MOST_OTHERS = 1000  # members, drawn at random, that the vulnerable ones are compared with
TITLES = {
    "grad-cam": "Grad-CAM",
    "integrated-gradients": "Integrated Gradients",
    "gradient-x-input": "Gradient times input",
}

Rows = Int64[np.ndarray, "rows"]


@dataclass(frozen=True)
class Method:
    """How attributions are made: the name of the option, and of Grad-CAM the layer."""

    name: str
    layer: str | None = None

    @property
    def title(self) -> str:
        """In words."""
        return TITLES[self.name] + (f" of layer {self.layer}" if self.layer else "")

    def __call__(
        self, module: nn.Module, inputs: Tensor, labels: Tensor
    ) -> tuple[Float64[np.ndarray, "rows ..."], tuple[str, ...]]:
        """The attributions of these inputs, and what a reader should know of them."""
        if self.name == "grad-cam":
            return attribution.grad_cam(module, inputs, labels, layer=self.layer).astype(float), ()
        if self.name == "gradient-x-input":
            return attribution.gradient_times_input(module, inputs, labels).astype(float), ()
        found = attribution.integrated_gradients(module, inputs, labels)
        return found.values.astype(float), found.notes


@dataclass(frozen=True, eq=False)
class Attributed:
    """What a model's answer rests on, for some of its members.

    rows: places among the members, increasing.
    values: [rows height width] of images, 0 and up, at the layer's own resolution; [rows features] of tables.
    contrasts: of the numbers of these maps, vulnerable against other members; none where either are too few.
    """

    method: Method
    rows: Rows
    values: Float64[np.ndarray, "rows ..."]
    measures: dict[str, Float64[np.ndarray, "rows"]]
    contrasts: tuple[Contrast, ...]
    notes: tuple[str, ...] = ()


def image_shape(run: OpenedRun) -> tuple[int, int, int] | None:
    """Channels, height and width of the records; None where they are no images."""
    shape = FLAT_IMAGES.get(run.plan.dataset.name, run.plan.dataset.shape)
    return (shape[0], shape[1], shape[2]) if len(shape) == 3 and shape[0] in (1, 3) else None


def chosen_method(run: OpenedRun, options: ExplainOptions) -> Method | None:
    """How attributions will be made; None where none are asked for.

    Raises InputError for Grad-CAM of a model without convolutions, an unknown layer, and where Captum is not
    installed.
    """
    if options.attribution == "none":
        return None
    attribution.captum()
    inputs = run.material.inputs[:2]
    asked = options.attribution == "grad-cam" or options.layer is not None
    for _, module in run.modules([options.target]):
        if asked or (options.attribution == "auto" and last_convolution(module, inputs) is not None):
            return Method("grad-cam", map_layer(module, inputs, options.layer)[0])
    return Method("integrated-gradients" if options.attribution == "auto" else options.attribution)


def attributed(
    run: OpenedRun,
    seen: Members,
    module: nn.Module,
    method: Method,
    vulnerable: Bool[np.ndarray, "members"],
    shown: Int64[np.ndarray, "shown"],
) -> Attributed:
    """Where the model looks in the shown members, all vulnerable ones, and others at random."""
    rows = _rows(run, vulnerable, shown)
    samples = seen.samples[rows]
    labels = torch.from_numpy(run.labels[samples])
    values, notes = method(module, run.material.inputs[samples], labels)
    values, found = _measured(values, image_shape(run))
    measures = {BY_NAME[name].title: value for name, value in found.values.items()}
    contrasts = _contrasts(measures, vulnerable[rows])
    return Attributed(method, rows, values, measures, contrasts, (*notes, *found.notes))


def _measured(
    values: Float64[np.ndarray, "rows ..."], shape: tuple[int, int, int] | None
) -> tuple[Float64[np.ndarray, "rows ..."], Attention]:
    """Maps of images, or rows of tables, and their numbers."""
    if shape is None:
        rows = values.reshape(len(values), -1)
        return rows, concentration(rows)
    if values.ndim != 3:  # a value for each pixel and channel, of either sign
        values = np.abs(values).reshape(len(values), *shape).sum(1)
    return values, attention(values)


def _rows(run: OpenedRun, vulnerable: Bool[np.ndarray, "members"], shown: Int64[np.ndarray, "shown"]) -> Rows:
    others = np.flatnonzero(~vulnerable)
    if len(others) > MOST_OTHERS:
        others = seeds.generator(run.plan.seed, "attributed").choice(others, MOST_OTHERS, replace=False)
    return np.unique(np.concatenate([np.flatnonzero(vulnerable), others, shown]))


def _contrasts(
    measures: dict[str, Float64[np.ndarray, "rows"]], vulnerable: Bool[np.ndarray, "rows"]
) -> tuple[Contrast, ...]:
    """None where too few are vulnerable to compare."""
    try:
        return contrast(measures, vulnerable)
    except InputError:
        return ()
