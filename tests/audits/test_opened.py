"""Reopened models of images answer as they were trained, laid out anew or not."""

import torch

from vestige.audits.opened import answers, laid_out
from vestige.data.dataset import Dataset
from vestige.models.catalog import ModelSpec, build
from vestige.training.engine import Material


def test_the_layout_of_weights_changes_no_answer():
    torch.manual_seed(0)
    images = torch.randn(70, 3, 16, 16)
    material = Material.of(
        Dataset(images.numpy(), torch.arange(70).numpy() % 3, 3, "toy"), torch.device("cpu")
    )
    for name in ("convnet-2", "wrn10-1"):
        module = build(ModelSpec(name), (3, 16, 16), 3).eval()
        with torch.no_grad():
            before = answers(module, material)
            after = answers(laid_out(module, material), material)
        torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-4)


def test_rows_of_a_table_stay_as_they_are():
    rows = torch.randn(12, 6)
    material = Material.of(Dataset(rows.numpy(), torch.arange(12).numpy() % 3, 3, "toy"), torch.device("cpu"))
    module = build(ModelSpec("mlp-4"), (6,), 3).eval()
    with torch.no_grad():
        assert torch.equal(answers(laid_out(module, material), material), answers(module, material))
