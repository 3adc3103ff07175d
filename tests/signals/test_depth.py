import numpy as np
import pytest
import torch
from torch import nn

from vestige.core.errors import InputError
from vestige.models.catalog import ModelSpec, build
from vestige.models.stages import MOST_FEATURES, stage_outputs
from vestige.signals.depth import NEIGHBORS, prediction_depth


def small(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))


def blobs(samples=120, seed=0):
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(0, 3, (samples,), generator=generator)
    centers = 3 * torch.randn(3, 6, generator=generator)
    return centers[targets] + torch.randn(samples, 6, generator=generator), targets


def slow_depth(module, inputs, targets, members):
    """The depth sample by sample, with sorted distances and counted votes."""
    stages = [inputs, torch.tanh(module[0](inputs)), module(inputs)]
    depths = []
    for i in range(len(inputs)):
        answer = int(module(inputs)[i].argmax())
        agrees = []
        for stage in stages:
            others = [j for j in members if j != i]
            nearest = sorted(others, key=lambda j: float((stage[i] - stage[j]).norm()))[:NEIGHBORS]
            votes = np.bincount(targets[nearest], minlength=3)
            agrees.append(int(votes.argmax()) == answer)
        depth = 3
        while depth > 0 and agrees[depth - 1]:
            depth -= 1
        depths.append(depth)
    return depths


def test_depth_equals_the_definition_sample_by_sample():
    inputs, targets = blobs()
    module, members = small(), np.arange(0, 120, 2)
    with torch.no_grad():
        expected = slow_depth(module, inputs, targets, members.tolist())
    assert prediction_depth(module, inputs, targets, members).tolist() == expected
    assert len(set(expected)) > 1


def test_noise_labels_are_deeper_than_clear_classes():
    inputs, targets = blobs(300)
    module = small(1)
    optimizer = torch.optim.Adam(module.parameters(), 0.03)
    flipped = targets.clone()
    flipped[:40] = (flipped[:40] + 1) % 3
    for _ in range(400):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(inputs), flipped).backward()
        optimizer.step()
    depth = prediction_depth(module, inputs, flipped, np.arange(300))
    assert depth[:40].mean() > depth[40:].mean() + 0.5


def test_few_members_are_refused():
    inputs, targets = blobs(40)
    with pytest.raises(InputError, match="30 nearest"):
        prediction_depth(small(), inputs, targets, np.arange(30))


@pytest.mark.parametrize(
    ("name", "shape", "stages"),
    [("mlp-8-8", (6,), 4), ("convnet", (3, 16, 16), 5), ("wrn28-2", (3, 16, 16), 16), ("linear", (6,), 2)],
)
def test_stages_begin_with_the_inputs_and_end_with_the_logits(name, shape, stages):
    module = build(ModelSpec(name), shape, 3).train()
    inputs = torch.randn(4, *shape)
    found = stage_outputs(module, inputs)
    assert len(found) == stages
    assert torch.equal(found[0], inputs.flatten(1))
    assert torch.allclose(found[-1], module.eval()(inputs), atol=1e-5)
    assert all(stage.shape[1] <= MOST_FEATURES for stage in found)


def test_looking_leaves_the_model_as_it_was():
    module = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2)).train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.random.get_rng_state()
    stage_outputs(module, torch.randn(5, 6, generator=torch.Generator().manual_seed(0)))
    assert module.training
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())
    assert not module[0]._forward_hooks
