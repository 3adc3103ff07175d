"""A population that an earlier run trained, opened again from its run folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from vestige.core.errors import InputError
from vestige.data.membership import Membership
from vestige.population.store import Store, StoredSignals


@dataclass(frozen=True, eq=False)
class Recorded:
    """The signals of a run folder, who trained on what, and when each checkpoint was taken."""

    signals: StoredSignals
    membership: Membership
    epochs: Float64[np.ndarray, "checkpoints"]
    manifest: dict[str, Any]


def recorded(run_folder: Path) -> Recorded:
    """The population that the run in this folder last used.

    Raises InputError where the folder is not that of a run that trained models.
    """
    try:
        manifest: dict[str, Any] = json.loads((run_folder / "manifest.json").read_text())
        store = Store(run_folder / "signals" / manifest["population"][:16])
        mask = np.load(store.folder / "membership.npy", allow_pickle=False)
        observation = manifest["observation"]
        signals = StoredSignals(store, tuple(observation["signals"]), len(mask))
        membership = Membership(mask, manifest["membership"]["design"], int(manifest["seed"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{run_folder} is not the folder of a run that trained models ({type(error).__name__}: {error})"
        ) from error
    return Recorded(signals, membership, np.array(observation["checkpoints"], np.float64), manifest)
