"""Models whose training went wrong: figures over them speak of the recipe's instability, not of memory."""

import numpy as np

from vestige.risk.difficulty import AccuracyOverTime
from vestige.signals.source import SignalSource, read

HUGE = 1e3  # logits; a model that is right with probability 1 - 1e-16 has 37
FALLEN = 0.5  # of the median model's accuracy on its members


def training_warnings(signals: SignalSource, accuracy: AccuracyOverTime | None) -> tuple[str, ...]:
    """What to say of models that diverged or collapsed by the last checkpoint; empty if none did."""
    found: list[str] = []
    models, checkpoints = signals.shape[:2]
    if "scaled_logit" in signals.names:
        sizes = [
            float(np.median(np.abs(read(signals, "scaled_logit", model, checkpoints - 1))))
            for model in range(models)
        ]
        huge = sum(size > HUGE for size in sizes)
        if huge:
            found.append(
                f"The training of {huge} of {models} models diverged (scaled logits near {max(sizes):.2g}): "
                "lower the learning rate before reading any figure of this audit."
            )
    if accuracy is not None:
        final = accuracy.train[:, -1]
        fallen = int((final < FALLEN * np.median(final)).sum())
        if fallen:
            found.append(
                f"{fallen} of {models} models collapsed: less than half as accurate on their members as the "
                "others. Attacks that compare models read this as noise; mend the recipe first."
            )
    return tuple(found)
