"""The callbacks of Lightning and of the Hugging Face Trainer: the run is the same, bit for bit."""

import builtins
import importlib
import logging
import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset
from training_loops import half, network, rows, seeded

from vestige.core.errors import InputError
from vestige.tracking.tracker import Tracker

MEMBERS = half(1)


def chance():
    return torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002


class Recorded(Tracker):
    """A tracker that notes the random state around every record."""

    def record(self, model, step):
        before = chance()
        super().record(model, step)
        self.untouched = [*getattr(self, "untouched", []), chance() == before]


def assert_same_weights(ours, theirs):
    for (name, a), b in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


@pytest.mark.filterwarnings("ignore")  # Lightning's advice about workers and loggers
class TestLightning:
    @pytest.fixture(scope="class")
    def lightning(self):
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        return pytest.importorskip("lightning.pytorch")

    def fit(self, lightning, folder, callback=None, epochs=3, **options):
        class Module(lightning.LightningModule):
            def __init__(self):
                super().__init__()
                self.net = network()
                self.net[1].eval()

            def forward(self, inputs):
                return self.net(inputs)

            def training_step(self, batch, _):
                return cross_entropy(self(batch[0] + 0.1 * torch.randn(batch[0].shape)), batch[1])

            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)

        module = Module()
        samples = TensorDataset(*(torch.as_tensor(one[MEMBERS]) for one in rows()))
        trainer = lightning.Trainer(
            max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder,
            callbacks=[callback] if callback else None,
        )  # fmt: skip
        seeded()
        trainer.fit(module, DataLoader(samples, 15, shuffle=True), **options)
        return module

    def test_the_run_is_unchanged_and_recorded(self, lightning, tmp_path):
        from vestige.tracking.lightning import TrackerCallback

        tracker = Recorded(rows(), members=MEMBERS, folder=tmp_path / "a")
        ours = self.fit(lightning, tmp_path, TrackerCallback(tracker))
        assert_same_weights(ours, self.fit(lightning, tmp_path))
        assert tracker.steps == (0, 1, 2, 3)
        assert all(tracker.untouched)
        again = Tracker(rows(), members=MEMBERS, folder=tmp_path / "b")
        again.record(ours, 3)
        np.testing.assert_array_equal(tracker.run.row("scaled_logit", 3), again.run.row("scaled_logit", 0))

    def test_every_second_epoch_and_the_last(self, lightning, tmp_path):
        from vestige.tracking.lightning import TrackerCallback

        tracker = Tracker(rows(), members=MEMBERS, folder=tmp_path / "a")
        self.fit(lightning, tmp_path, TrackerCallback(tracker, every=2), epochs=5)
        assert tracker.steps == (0, 2, 4, 5)

    def test_every_is_at_least_one(self, lightning, tmp_path):
        from vestige.tracking.lightning import TrackerCallback

        with pytest.raises(InputError, match="every=0"):
            TrackerCallback(Tracker(rows(), folder=tmp_path / "a"), every=0)


WORDS = np.random.default_rng(0).integers(1, 40, (60, 8))
SENTENCE_LABELS = (WORDS[:, 0] > 20).astype(int)


class Sentences(torch.utils.data.Dataset):
    """Token ids of equal length, as a tokenizer would give them."""

    def __init__(self, positions):
        self.positions = positions

    def __len__(self):
        return len(self.positions)

    def __getitem__(self, index):
        at = self.positions[index]
        return {
            "input_ids": WORDS[at].tolist(),
            "attention_mask": [1] * 8,
            "labels": int(SENTENCE_LABELS[at]),
        }


@pytest.mark.filterwarnings("ignore")  # the library's own deprecations
class TestTransformers:
    @pytest.fixture(scope="class")
    def transformers(self):
        patch = pytest.MonkeyPatch()
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("TRANSFORMERS_OFFLINE", "1")
        yield pytest.importorskip("transformers")
        patch.undo()

    def fit(self, transformers, folder, callback=None, epochs=3):
        config = transformers.BertConfig(
            vocab_size=40, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
            max_position_embeddings=8, num_labels=2,
        )  # fmt: skip
        seeded()
        model = transformers.BertForSequenceClassification(config)
        arguments = transformers.TrainingArguments(
            output_dir=str(folder / "out"), num_train_epochs=epochs, per_device_train_batch_size=10,
            learning_rate=1e-2, report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True, seed=3,
            logging_strategy="no",
        )  # fmt: skip
        trainer = transformers.Trainer(
            model=model, args=arguments, train_dataset=Sentences(range(40)),
            callbacks=[callback] if callback else None,
        )  # fmt: skip
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
        return model

    def test_the_run_is_unchanged_and_recorded(self, transformers, tmp_path):
        from vestige.tracking.transformers import TrackerCallback

        tracker = Recorded(Sentences(range(60)), members=range(40), folder=tmp_path / "a")
        ours = self.fit(transformers, tmp_path, TrackerCallback(tracker))
        assert_same_weights(ours, self.fit(transformers, tmp_path))
        assert tracker.steps == (0, 1, 2, 3)
        assert all(tracker.untouched)
        ours.eval()
        with torch.no_grad():
            logits = ours(torch.as_tensor(WORDS), torch.ones(60, 8, dtype=torch.long)).logits.numpy()
        sign = np.where(SENTENCE_LABELS > 0, 1, -1)
        found = tracker.run.row("scaled_logit", 3)
        np.testing.assert_allclose(found, sign * (logits[:, 1] - logits[:, 0]), rtol=1e-3, atol=1e-4)

    def test_every_second_epoch_and_the_last(self, transformers, tmp_path):
        from vestige.tracking.transformers import TrackerCallback

        tracker = Tracker(Sentences(range(60)), members=range(40), folder=tmp_path / "a")
        self.fit(transformers, tmp_path, TrackerCallback(tracker, every=2), epochs=3)
        assert tracker.steps == (0, 2, 3)


@pytest.mark.parametrize("library", ["lightning", "transformers"])
def test_a_missing_library_names_its_extra(monkeypatch, library):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name.partition(".")[0] == library:
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, f"vestige.tracking.{library}", raising=False)
    with pytest.raises(InputError, match=rf'pip install "vestige\[{library}\]"'):
        importlib.import_module(f"vestige.tracking.{library}")


def test_the_tracker_itself_loads_neither():
    code = (
        "import sys, vestige.tracking.tracker; print([n for n in ('lightning', 'transformers') "
        "if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"
