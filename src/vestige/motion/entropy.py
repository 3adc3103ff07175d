"""How widely samples spread over the plane."""

import numpy as np
from jaxtyping import Float64

from vestige.motion.state import State

CELLS = 10  # per axis: Chen et al. 2025 report a change of +4.2, impossible below 5 x 5 cells in bits


def spatial_entropy(state: State, cells: int = CELLS) -> Float64[np.ndarray, "replicates"]:
    """The Shannon entropy in bits of the samples' histogram over cells x cells of the plane.

    0 when all lie in one cell, 2 log2(cells) when they are spread evenly. It depends on the cells, on the
    number of samples and on the number of models, so compare runs only where these agree.
    """
    replicates = len(state.fpr)
    code = _cell(state.fpr, cells) * cells + _cell(state.tpr, cells)
    offset = np.arange(replicates)[:, None] * cells**2
    counts = np.bincount((code + offset).ravel(), minlength=replicates * cells**2).reshape(replicates, -1)
    share = counts / counts.sum(1, keepdims=True)
    logs = np.log2(share, out=np.zeros(share.shape), where=share > 0)
    return 0.0 - (share * logs).sum(1)


def _cell(rates: Float64[np.ndarray, "replicates samples"], cells: int) -> np.ndarray:
    """The cell of each rate; an unknown rate counts as 0, as for regions."""
    inside = np.nan_to_num(rates) * cells + 1e-9  # .3 * 10 must fall into the cell that begins at .3
    return np.minimum(inside.astype(np.int64), cells - 1)
