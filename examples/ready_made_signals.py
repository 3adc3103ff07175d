"""The base example without training: signals of models that somebody else trained.

Run it with `python examples/ready_made_signals.py`. It leaves signals.npz behind, for
`vestige score signals.npz`.
"""

import numpy as np

import vestige

# In place of these two arrays put your own, [models samples]: who trained on what, and the scaled
# logit log p_y - log(1 - p_y) of each sample under each model, computed from logits.
random = np.random.default_rng(0)
membership = random.random((16, 2000)) < 0.5
difficulty = random.normal(0, 2, 2000)
values = 3 + difficulty + 0.7 * membership + random.normal(size=(16, 2000))

scores = vestige.score(values, membership, "lira-online-fixed")
curve = vestige.roc(scores, membership)
print(f"AUC {curve.auc:.3f}, TPR at 1 % FPR {curve.tpr_at(0.01):.3f}, scored as: {scores.description}")

np.savez("signals.npz", values=values, membership=membership)
