"""The base example with your own arrays, your own model and your own recipe.

Run it with `python examples/own_model.py`. Without the data part, the same from the shell, in this folder:
`vestige audit digit_images --model own_model:small_net --models 8 --epochs 10`
"""

from sklearn.datasets import load_digits
from torch import nn

import vestige


def small_net(shape, num_classes):
    """A model for one image [channels height width]; it returns logits [batch classes]."""
    return nn.Sequential(
        nn.Conv2d(shape[0], 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 6 * 6, num_classes)
    )


if __name__ == "__main__":  # the command imports this file for its model and must not start an audit
    pixels, labels = load_digits(return_X_y=True)
    inputs = (pixels / 16).reshape(-1, 1, 8, 8)
    found = vestige.audit(
        (inputs, labels), model=small_net, models=8, epochs=10, lr=0.02, out="vestige-runs/own-model"
    )
    print(found)
