"""Whether a pool holds what an attack needs, asked before anything is computed."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from vestige.attacks.pool import Pool
from vestige.attacks.protocol import Attack
from vestige.attacks.quantity import recorded_name
from vestige.core.errors import InputError

# What to do without; on the command line features are those of the file, embeddings those of the models.
INSTEAD = {
    "labels": "give labels, one per sample, or use student-t or lira-online-fixed, which need none",
    "features": "give features, a row per sample, or use hierarchical, which needs labels only, or student-t",
    "embeddings": "give those of models that end in a linear layer, or use joint, which takes features, or "
    "hierarchical, which needs labels only",
    "publics": "give samples that no model trained on",
}


def require(attack: Attack, pool: Pool, targets: Sequence[int]) -> None:
    """Return if the attack can score at least one sample of one target.

    Raises InputError that names what is missing: a signal, an array, or references.
    """
    if (error := lacking(attack, pool, targets)) is not None:
        raise error


def lacking(attack: Attack, pool: Pool, targets: Sequence[int]) -> InputError | None:
    """What is missing before the attack can score at least one sample of one target; None if nothing is.

    Raises InputError where a signal is missing.
    """
    needs = attack.needs
    for signal in needs.signals:
        recorded_name(signal, pool.signals.names)
    for name in INSTEAD:
        if getattr(needs, name) and getattr(pool, name) is None:
            return InputError(f"attack={attack.name!r} needs {name} and {name}=None; {INSTEAD[name]}")
    poorest = min(targets, key=pool.num_references)
    if pool.num_references(poorest) < needs.references:
        return _too_few_in_all(attack, pool, poorest)
    if not any(
        where is None or where.any() for where in (scorable(attack, pool, target) for target in targets)
    ):
        return _too_few(attack, pool)
    return None


def scorable(attack: Attack, pool: Pool, target: int) -> Bool[np.ndarray, "samples"] | None:
    """Where a target's references suffice; None means everywhere."""
    needs = attack.needs
    if needs.one_sided and pool.sides_tell_nothing():
        return None
    if pool.fewest_references() >= max(needs.in_references, needs.out_references):
        return None
    inside, outside = pool.reference_counts(target)
    return (inside >= needs.in_references) & (outside >= needs.out_references)


def _too_few_in_all(attack: Attack, pool: Pool, target: int) -> InputError:
    least, found = attack.needs.references, pool.num_references(target)
    more, spare = least - found, pool.num_spare(target)
    remedy = f"train {pool.num_models + more - spare} models"
    if more <= spare:
        remedy = f"give {more} more reference{'s' if more > 1 else ''}, neither it nor its complement"
    return InputError(
        f"attack={attack.name!r} needs at least {least} references and target {target} has {found}; "
        f"{remedy}, or use student-t, which takes any number"
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
