"""Whether a pool holds what an attack needs, asked before anything is computed."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from vestige.attacks.pool import Pool
from vestige.attacks.protocol import Attack
from vestige.attacks.quantity import recorded_name
from vestige.core.errors import InputError

ARRAYS = ("labels", "features", "embeddings", "publics")


def require(attack: Attack, pool: Pool, targets: Sequence[int]) -> None:
    """Return if the attack can score at least one sample of one target.

    Raises InputError that names what is missing: a signal, an array, or references.
    """
    needs = attack.needs
    for signal in needs.signals:
        recorded_name(signal, pool.signals.names)
    for name in ARRAYS:
        if getattr(needs, name) and getattr(pool, name) is None:
            raise InputError(f"attack={attack.name!r} needs {name} and {name}=None; pass {name}=")
    if pool.num_references() < needs.references:
        raise _too_few_in_all(attack, pool)
    if not any(
        where is None or where.any() for where in (scorable(attack, pool, target) for target in targets)
    ):
        raise _too_few(attack, pool)


def scorable(attack: Attack, pool: Pool, target: int) -> Bool[np.ndarray, "samples"] | None:
    """Where a target's references suffice; None means everywhere."""
    needs = attack.needs
    if needs.one_sided and pool.sides_tell_nothing():
        return None
    if pool.fewest_references() >= max(needs.in_references, needs.out_references):
        return None
    inside, outside = pool.reference_counts(target)
    return (inside >= needs.in_references) & (outside >= needs.out_references)


def _too_few_in_all(attack: Attack, pool: Pool) -> InputError:
    least, found = attack.needs.references, pool.num_references()
    return InputError(
        f"attack={attack.name!r} needs at least {least} references and a target has {found}; train "
        f"{pool.num_models + least - found} models, or use student-t, which takes any number"
    )


def _too_few(attack: Attack, pool: Pool) -> InputError:
    needs = attack.needs
    fixed = f"{attack.name}-fixed" if attack.name in ("lira-online", "lira-offline") else None
    instead = f", or use {fixed}, which pools one variance over all samples" if fixed else ""
    # with a sample in half of the models, one of each side goes to the target and to what is left out with it
    enough = 2 * (max(needs.in_references, needs.out_references) + 1)
    return InputError(
        f"attack={attack.name!r} needs at least {needs.in_references} IN and {needs.out_references} OUT "
        f"references per sample, and with models={pool.num_models} no sample has them once "
        f"the target is left out; train {enough} or more models{instead}"
    )
