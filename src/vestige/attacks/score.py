"""Scoring: from signals of many models to the scores of every target."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float64, Shaped
from numpy.typing import ArrayLike

from vestige.attacks.catalog import DEFAULT, by_name
from vestige.attacks.given import LARGEST, class_per_sample, row_per_sample
from vestige.attacks.pool import Embeddings, Pool
from vestige.attacks.protocol import SCALED_LOGIT, Attack
from vestige.attacks.requirements import require, scorable
from vestige.attacks.scores import Scores
from vestige.attacks.threads import single
from vestige.attacks.view import AttackView
from vestige.core.errors import InputError
from vestige.data.membership import Membership, from_mask
from vestige.signals.source import ArraySignals

Signals = Shaped[np.ndarray, "models checkpoints samples augmentations"]
Row = Float64[np.ndarray, "samples"]


def score(
    values: ArrayLike,
    membership: ArrayLike | Membership,
    attack: str | Attack = DEFAULT,
    *,
    design: str | None = None,
    signals: Mapping[str, ArrayLike] | None = None,
    labels: ArrayLike | None = None,
    features: ArrayLike | None = None,
    embeddings: ArrayLike | Mapping[int, ArrayLike] | None = None,
    targets: Sequence[int] | None = None,
    references: Sequence[int] | None = None,
    seed: int = 0,
) -> Scores:
    """The scores of an attack on models that somebody else trained; every model is a target in turn.

    values: (models, samples), (models, checkpoints, samples) or (models, checkpoints, samples,
      augmentations), scaled logits log p_y / (1 - p_y), float32 or float64.
    membership: (models, samples) bool or 0/1, true where the model trained on the sample; or a Membership.
    attack: a name from the catalog or an Attack with options of its own; "vestige" picks the strongest for
      what is given, and the description says which.
    design: how the coins were drawn (see Membership); None recognizes it from the mask.
    signals: further signals by name, each of the shape of values.
    labels: (samples,) whole numbers, one for each class. features: (samples, ...), the samples themselves.
    embeddings: (samples, features), what a model outside these makes of them, or such arrays of models
      among these by their number; a target is never judged by its own or its complement's.
    targets: which models; None means all. references: which models they are compared with; None means all
      others.
    seed: for the choice of what the "balanced" design leaves out.

    Returns [targets samples], or [targets checkpoints samples] if values have a checkpoint axis.
    Raises InputError, before anything is computed, for shapes that differ, membership that is not boolean,
    values or descriptions that are not finite numbers in the range of float32, labels that are not whole
    numbers, fewer than two models, a sample that is always or never a member, and whatever the attack needs
    and is not there.
    """
    chosen = by_name(attack) if isinstance(attack, str) else attack
    given = np.asanyarray(values)
    source, coins = ready_made(given, membership, design=design, signals=signals, seed=seed)
    pool = described_pool(source, coins, labels, features, embeddings, references)
    models = _targets(targets, pool.num_models)
    return score_pool(pool, chosen, models, keep_checkpoints=given.ndim > 2)


def ready_made(
    values: ArrayLike,
    membership: ArrayLike | Membership,
    *,
    design: str | None = None,
    signals: Mapping[str, ArrayLike] | None = None,
    seed: int = 0,
) -> tuple[ArraySignals, Membership]:
    """Somebody else's arrays, checked, as signals and membership; parameters and errors as in `score`."""
    given = np.asanyarray(values)
    source = _signals(given, signals or {})
    if isinstance(membership, Membership):
        return source, membership
    return source, _membership(membership, given.shape, design, seed)


def described_pool(
    signals: ArraySignals,
    coins: Membership,
    labels: ArrayLike | None = None,
    features: ArrayLike | None = None,
    embeddings: ArrayLike | Mapping[int, ArrayLike] | None = None,
    references: Sequence[int] | None = None,
) -> Pool:
    """The pool of these signals and of what is known of the samples; parameters and errors as in `score`."""
    return Pool(
        signals,
        coins,
        labels=None if labels is None else class_per_sample(labels, coins.num_samples),
        features=None if features is None else row_per_sample("features", features, coins.num_samples),
        embeddings=_embeddings(embeddings, coins),
        references=None if references is None else tuple(int(one) for one in references),
    )


def score_pool(
    pool: Pool, attack: Attack, targets: Sequence[int] | None = None, *, keep_checkpoints: bool = True
) -> Scores:
    """The scores of every target at every checkpoint, [targets checkpoints samples], or at the only one."""
    models = _targets(targets, pool.num_models)
    attack = attack.resolved(pool, models)
    checkpoints = range(pool.num_checkpoints)
    values = np.empty((len(models), len(checkpoints), pool.num_samples))
    position = {model: index for index, model in enumerate(models)}
    for target, checkpoint, row in stream(pool, attack, models, checkpoints):
        values[position[target], checkpoint] = row
    return Scores(
        values if keep_checkpoints else values[:, 0],
        pool.membership.mask[list(models)],
        attack.name,
        models,
        attack.describe(),
        (*_notes(values), *attack.notes(pool)),
    )


def stream(
    pool: Pool, attack: Attack, targets: Sequence[int] | None = None, checkpoints: Sequence[int] | None = None
) -> Iterator[tuple[int, int, Row]]:
    """(target, checkpoint, scores [samples]) one at a time, so that nothing grows with their number.

    Checkpoints are the outer loop, because totals over all models are kept per checkpoint.

    Raises InputError at once, before the first row is asked for, if the attack lacks what it needs.
    """
    models = _targets(targets, pool.num_models)
    attack = attack.resolved(pool, models)
    times = range(pool.num_checkpoints) if checkpoints is None else checkpoints
    require(attack, pool, models)
    _settle_allocator()
    return ((target, time, _row(pool, attack, target, time)) for time in times for target in models)


def _settle_allocator() -> None:
    """Let the C library keep the memory of small arrays instead of returning it after each.

    glibc raises its threshold to the largest block it has seen mapped and freed. Without one, blocks of
    samples cost a page fault for every 4 kB of every intermediate result, half of the time of an attack.
    """
    np.empty(1 << 22, np.uint8)


def _row(pool: Pool, attack: Attack, target: int, checkpoint: int) -> Row:
    with single():
        row = attack.score(AttackView(pool, target, checkpoint))
    where = scorable(attack, pool, target)
    if where is not None:
        row[~where] = np.nan
    return row


def _embeddings(given: ArrayLike | Mapping[int, ArrayLike] | None, coins: Membership) -> Embeddings | None:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        return {-1: row_per_sample("embeddings", given, coins.num_samples)}
    unknown = [model for model in given if model not in range(coins.num_models)]
    if unknown or not given:
        raise InputError(
            f"embeddings of models {unknown[:5] if unknown else 'that are not named'}: their numbers must be "
            f"from 0 to {coins.num_models - 1}; give the array itself if it is of a model outside these"
        )
    return {
        int(model): row_per_sample(f"embeddings[{model}]", one, coins.num_samples)
        for model, one in given.items()
    }


def _targets(targets: Sequence[int] | None, num_models: int) -> tuple[int, ...]:
    models = tuple(range(num_models)) if targets is None else tuple(int(target) for target in targets)
    wrong = [target for target in models if not 0 <= target < num_models]
    if wrong or not models or len(set(models)) != len(models):
        raise InputError(f"targets={list(models)[:5]} must name different models from 0 to {num_models - 1}")
    return models


def _signals(values: np.ndarray, signals: Mapping[str, ArrayLike]) -> ArraySignals:
    arrays = {SCALED_LOGIT: values, **{name: np.asanyarray(array) for name, array in signals.items()}}
    for name, array in arrays.items():
        if array.shape != values.shape:
            raise InputError(
                f"signals[{name!r}] has shape {array.shape} and values {values.shape}; make them equal"
            )
    if values.ndim not in (2, 3, 4) or 0 in values.shape:
        raise InputError(
            f"values has shape {values.shape}; give (models, samples), (models, checkpoints, samples) or "
            "(models, checkpoints, samples, augmentations), none of them empty"
        )
    if values.shape[0] < 2:
        raise InputError(f"values hold {values.shape[0]} models; give at least 2: a target and a reference")
    for name, array in arrays.items():
        _check_numbers(name, array)
    return ArraySignals({name: _four_axes(array) for name, array in arrays.items()})


def _four_axes(array: np.ndarray) -> Signals:
    if array.ndim == 2:
        return array[:, None, :, None]
    return array[..., None] if array.ndim == 3 else array


def _check_numbers(name: str, array: np.ndarray) -> None:
    if array.dtype.kind != "f":
        raise InputError(f"{name} has type {array.dtype}; give float32 or float64")
    for model, row in enumerate(array):
        if not (row.min() >= -LARGEST and row.max() <= LARGEST):  # never of NaN
            where = tuple(int(i) for i in np.argwhere(~(np.abs(row) <= LARGEST))[0])
            sample = where[0] if array.ndim == 2 else where[1]
            raise InputError(
                f"{name}: model {model}, sample {sample} is {row[where]}; remove the sample or compute its "
                "scaled logit from logits, not from rounded probabilities"
            )


def _membership(membership: ArrayLike, shape: tuple[int, ...], design: str | None, seed: int) -> Membership:
    given = np.asarray(membership)
    expected = (shape[0], shape[1] if len(shape) == 2 else shape[2])
    if given.shape != expected:
        raise InputError(f"membership has shape {given.shape} and values need {expected}: (models, samples)")
    mask: Bool[np.ndarray, "models samples"] = given.astype(bool)
    if given.dtype != np.bool_ and not np.array_equal(mask, given):
        raise InputError(
            f"membership has type {given.dtype} with values other than 0 and 1; give a bool array"
        )
    return from_mask(mask, design, seed)


def _notes(values: Float64[np.ndarray, "targets checkpoints samples"]) -> tuple[str, ...]:
    unscored = sum(int(np.isnan(row).sum()) for row in values)
    if not unscored:
        return ()
    return (
        f"{unscored} of {values.size} scores could not be computed: too few references for these samples",
    )
