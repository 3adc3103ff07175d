"""What a tracker can be given, always in the same order."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
)
from training_loops import CLASSES, FEATURES, SAMPLES, network, rows

import vestige
from vestige.core.errors import InputError
from vestige.tracking.tracker import Tracker

INPUTS, LABELS = rows()


class Items(Dataset):
    def __init__(self, as_mapping=False):
        self.as_mapping, self.reads = as_mapping, 0

    def __len__(self):
        return SAMPLES

    def __getitem__(self, index):
        self.reads += 1
        if self.as_mapping:
            return {"x": INPUTS[index].tolist(), "labels": int(LABELS[index]), "text": "words", "row": index}
        return INPUTS[index], LABELS[index]


class Endless(IterableDataset):
    def __iter__(self):
        return zip(INPUTS, LABELS, strict=True)


class Named(nn.Module):
    """A model in the manner of Hugging Face: columns in, an object with logits out."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return type("Output", (), {"logits": self.inner(x)})()


def measured(dataset, folder, model=None, **options):
    tracker = Tracker(dataset, folder=folder, **options)
    tracker.record(model or network(), 0)
    return tracker.run.row("scaled_logit", 0)


def by_hand(model):
    """log p_y / (1 - p_y) in float64, one sample at a time."""
    model.eval()
    found = []
    for one, label in zip(INPUTS, LABELS, strict=True):
        logits = model(torch.as_tensor(one)[None])[0].detach().double()
        rest = torch.cat([logits[:label], logits[label + 1 :]])
        found.append(float(logits[label] - rest.logsumexp(0)))
    return np.array(found)


SOURCES = {
    "arrays": lambda: (INPUTS, LABELS),
    "doubles": lambda: (INPUTS.astype(np.float64), LABELS.tolist()),
    "tensors": lambda: (torch.as_tensor(INPUTS), torch.as_tensor(LABELS)),
    "tensor data set": lambda: TensorDataset(torch.as_tensor(INPUTS), torch.as_tensor(LABELS)),
    "items": Items,
    "subset": lambda: Subset(Items(), range(SAMPLES)),
    "loader": lambda: DataLoader(Items(), 17),
    "loader of workers": lambda: DataLoader(Items(), 17, num_workers=1),
    "data set of vestige": lambda: vestige.Dataset(INPUTS, LABELS, CLASSES, "rows"),
    "mapping": lambda: {"inputs": INPUTS, "labels": LABELS},
    "function": lambda: lambda: (INPUTS, LABELS),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_gives_the_same_signals(tmp_path, kind):
    found = measured(SOURCES[kind](), tmp_path / "a", batch_size=31)
    np.testing.assert_allclose(found, by_hand(network()), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("wrap", [lambda items: items, lambda items: DataLoader(items, 20)])
def test_mappings_reach_the_columns_that_the_model_names(tmp_path, wrap):
    class Tensors(Items):
        def __getitem__(self, index):
            return {"x": INPUTS[index], "label": LABELS[index], "row": index}

    for items in (wrap(Tensors()), Items(as_mapping=True)):
        found = measured(items, tmp_path / str(id(items)), Named(network()))
        np.testing.assert_allclose(found, by_hand(network()), rtol=1e-4, atol=1e-4)


def test_a_function_of_the_users_own_answers_for_other_batches(tmp_path):
    class Triples(Items):
        def __getitem__(self, index):
            return index, INPUTS[index], LABELS[index]

    def predict(model, batch):
        _, inputs, labels = batch
        return {"out": model(inputs)}["out"], labels

    found = measured(Triples(), tmp_path / "a", predict=predict)
    np.testing.assert_allclose(found, by_hand(network()), rtol=1e-4, atol=1e-4)
    with pytest.raises(InputError, match="predict="):
        measured(Triples(), tmp_path / "b")


def test_a_data_set_is_read_once_per_record_and_not_before(tmp_path):
    items = Items()
    tracker = Tracker(items, folder=tmp_path / "a")
    assert items.reads == 0
    tracker.record(network(), 1)
    tracker.record(network(), 2)
    assert items.reads == 2 * SAMPLES


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_one_logit_is_a_binary_classifier(tmp_path, shape):
    labels = (LABELS > 0).astype(np.float32).reshape(-1, 1)

    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.inner = nn.Linear(FEATURES, 1)

        def forward(self, inputs):
            return self.inner(inputs).reshape(shape)

    model = Flat()
    found = measured(TensorDataset(torch.as_tensor(INPUTS), torch.as_tensor(labels)), tmp_path / "a", model)
    logit = model.inner(torch.as_tensor(INPUTS))[:, 0].detach().numpy()
    np.testing.assert_allclose(found, np.where(LABELS > 0, logit, -logit), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DataLoader(Items(), 9, shuffle=True), r"at random \(RandomSampler\).*shuffle=False"),
        (lambda: DataLoader(Items(), 9, sampler=WeightedRandomSampler([1.0] * 90, 90)), "WeightedRandom"),
        (lambda: DataLoader(Items(), batch_sampler=BatchSampler(RandomSampler(Items()), 9, False)), "random"),
        (lambda: DataLoader(Items(), 40, drop_last=True), "drop_last=True"),
        (lambda: DataLoader(Items(), batch_size=None), "batch size"),
        (Endless, "no fixed order"),
        (lambda: DataLoader(Endless()), "no fixed order"),
        (lambda: (INPUTS, LABELS[:-1]), "one label per input"),
        (lambda: 3, "not a data set"),
    ],
)
def test_what_has_no_order_is_refused_at_once(tmp_path, make, message):
    with pytest.raises(InputError, match=message):
        Tracker(make(), folder=tmp_path / "a")
    assert not (tmp_path / "a").exists()


class Changing(Items):
    """A data set whose arrays a test may change in place."""

    def __init__(self):
        self.inputs, self.labels = INPUTS.copy(), LABELS.copy()

    def __getitem__(self, index):
        return self.inputs[index], self.labels[index]


def swap(inputs, labels):
    other = 4 + int(np.flatnonzero(labels[4:] != labels[4])[0])
    inputs[[4, other]], labels[[4, other]] = inputs[[other, 4]], labels[[other, 4]]


def swap_within_a_class(inputs, labels):
    first, second = np.flatnonzero(labels == labels[0])[:2]
    inputs[[first, second]] = inputs[[second, first]]


def jitter(inputs, labels):
    inputs[17] += np.random.default_rng(0).normal(0, 0.001, FEATURES)


def flip(inputs, labels):
    inputs[17] = inputs[17][::-1].copy()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (swap, r"step 2: sample 4 has label \d where it had \d; the order changed.*shuffle=False"),
        (swap_within_a_class, "step 2: sample 0 has another input, and all labels agree.*augmentation"),
        (jitter, "step 2: sample 17 has another input.*without random augmentation"),
        (flip, "step 2: sample 17 has another input.*without random augmentation"),
    ],
)
def test_samples_that_change_between_passes_are_refused(tmp_path, change, message):
    data = Changing()
    tracker = Tracker(data, folder=tmp_path / "a")
    tracker.record(network(), 1)
    change(data.inputs, data.labels)
    with pytest.raises(InputError, match=message):
        tracker.record(network(), 2)
    assert tracker.steps == (1,)
    assert [path.name for path in (tmp_path / "a" / "steps").iterdir()] == ["step-00001"]


def test_random_augmentation_of_a_lazy_data_set_is_refused(tmp_path):
    class Augmented(Items):
        def __getitem__(self, index):
            return INPUTS[index] + torch.rand(1).numpy(), LABELS[index]

    tracker, model = Tracker(Augmented(), folder=tmp_path / "a"), network()
    tracker.record(model, 1)
    torch.rand(1)  # a run draws between two records
    with pytest.raises(InputError, match="another input, and all labels agree"):
        tracker.record(model, 2)


def test_a_length_that_changes_is_refused(tmp_path):
    class Growing(Items):
        size = SAMPLES - 5

        def __len__(self):
            return self.size

    items = Growing()
    tracker = Tracker(items, folder=tmp_path / "a")
    tracker.record(network(), 1)
    items.size = SAMPLES
    with pytest.raises(InputError, match="step 2: there are 90 samples where there were 85"):
        tracker.record(network(), 2)


def test_the_batch_size_may_differ_between_passes(tmp_path):
    big = (np.tile(INPUTS, (1, 30)) * 1000, LABELS)
    model = network(features=30 * FEATURES)
    measured(big, tmp_path / "a", model, batch_size=64)
    again = Tracker(big, folder=tmp_path / "a", batch_size=7)
    again.record(model, 1)
    assert again.steps == (0, 1)


@pytest.mark.parametrize(
    ("labels", "model", "message"),
    [
        (LABELS + 1, network(), "has label 3 and the model 3 classes"),
        (LABELS, nn.Unflatten(1, (3, 4)), r"logits have shape \(90, 3, 4\)"),
        (LABELS, nn.LSTM(FEATURES, 3), "returns a tuple without logits"),
        (LABELS, nn.Sequential(nn.Linear(FEATURES, 3), nn.Threshold(99.0, float("nan"))), "has diverged"),
    ],
)
def test_answers_that_are_no_classification_are_refused(tmp_path, labels, model, message):
    with pytest.raises(InputError, match=message):
        measured((INPUTS, labels), tmp_path / "a", model)
    assert not (tmp_path / "a").exists()


def test_items_of_different_shapes_want_the_users_own_collation(tmp_path):
    class Ragged(Items):
        def __getitem__(self, index):
            return INPUTS[index, : 3 + index % 2], LABELS[index]

    with pytest.raises(InputError, match="collate_fn"):
        measured(Ragged(), tmp_path / "a")
