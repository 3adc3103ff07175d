"""Whether a pool holds what an attack needs, asked before anything is computed."""

from collections.abc import Sequence

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
    if not any(_can_score(attack, pool, target) for target in targets):
        raise _too_few(attack, pool)


def _can_score(attack: Attack, pool: Pool, target: int) -> bool:
    needs = attack.needs
    inside, outside = pool.reference_counts(target)
    enough = (inside >= needs.in_references) & (outside >= needs.out_references)
    return bool((enough & (inside + outside >= needs.references)).any())


def _too_few(attack: Attack, pool: Pool) -> InputError:
    needs = attack.needs
    fixed = f"{attack.name}-fixed" if attack.name in ("lira-online", "lira-offline") else None
    instead = f", or use {fixed}, which pools one variance over all samples" if fixed else ""
    sides = f"{needs.in_references} IN and {needs.out_references} OUT references"
    wanted = sides if needs.in_references or needs.out_references else f"{needs.references} references"
    # with a sample in half of the models, one of each side goes to the target and to what is left out with it
    enough = 2 * (max(needs.in_references, needs.out_references, needs.references) + 1)
    return InputError(
        f"attack={attack.name!r} needs at least {wanted} per sample, and with models={pool.num_models} no "
        f"sample has them once the target is left out; train {enough} or more models{instead}"
    )
