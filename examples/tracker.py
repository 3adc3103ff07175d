"""The dynamics of one run in your own training loop, and the early warning that it gives.

Run it with `python examples/tracker.py`. It leaves two runs in vestige-runs/digits-loop; with a few more, on
other halves, `vestige score vestige-runs/digits-loop` audits them all.
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

import vestige

pixels, labels = load_digits(return_X_y=True)
inputs, labels = torch.as_tensor(pixels / 16, dtype=torch.float32), torch.as_tensor(labels)
half = np.random.default_rng(0).permutation(len(labels))[: len(labels) // 2]

for name, members in (("a", half), ("b", np.setdiff1d(np.arange(len(labels)), half))):
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    tracker = vestige.Tracker((inputs, labels), members=members, folder=f"vestige-runs/digits-loop/{name}")
    for epoch in range(10):
        for batch in torch.as_tensor(members)[torch.randperm(len(members))].split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[batch]), labels[batch]).backward()
            optimizer.step()
        tracker.record(model, epoch + 1)
    print(tracker.summary(), end="\n\n")
