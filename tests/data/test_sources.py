import gzip
import hashlib
import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vestige.core.errors import InputError
from vestige.data import benchmarks, sources

SHAPES = {
    "digits": (1797, (64,), 10),
    "digit_images": (1797, (1, 8, 8), 10),
    "breast_cancer": (569, (30,), 2),
    "wine": (178, (13,), 3),
    "iris": (150, (4,), 3),
}


@pytest.mark.parametrize("name", SHAPES)
def test_embedded_sets(name):
    dataset = sources.load(name)
    assert (dataset.num_samples, dataset.shape, dataset.num_classes) == SHAPES[name]
    assert (dataset.name, len(dataset.class_names), dataset.inputs.dtype) == (
        name,
        dataset.num_classes,
        np.float32,
    )
    np.testing.assert_allclose(dataset.inputs.mean(0), 0, atol=1e-5)


def test_digits_lie_within_one():
    inputs = sources.load("digits").inputs
    assert np.ptp(inputs) > 1
    assert np.abs(inputs).max() <= 1


def test_subset_keeps_the_rows_of_the_file():
    whole, part = sources.load("digits"), sources.load("digits", samples=300, seed=4)
    assert part.num_samples == 300
    assert (np.diff(part.ids) > 0).all()
    np.testing.assert_array_equal(part.inputs, whole.inputs[part.ids])
    np.testing.assert_array_equal(part.targets, whole.targets[part.ids])


def test_subset_depends_on_the_seed_alone():
    first, again, other = (sources.load("digits", samples=300, seed=s).ids for s in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_subset_is_uniform():
    counts = np.zeros(150)
    for seed in range(400):
        counts[sources.load("iris", samples=75, seed=seed).ids] += 1
    assert abs(counts.mean() - 200) < 1e-9
    assert np.abs(counts - 200).max() < 5 * 10  # five standard deviations of a binomial(400, 1/2)


@pytest.mark.parametrize("samples", [0, -1, 151])
def test_subset_size_is_checked(samples):
    with pytest.raises(InputError, match=f"samples={samples}.*150"):
        sources.load("iris", samples=samples)


@pytest.mark.parametrize(("name", "hint"), [("digts", "digits"), ("cifar-1O", "cifar10"), ("mnst", "mnist")])
def test_misspelt_names_get_a_hint(name, hint):
    with pytest.raises(InputError, match=f"did you mean.*{hint}"):
        sources.load(name)


def test_hyphens_and_capitals_do_not_matter(tmp_path):
    assert sources.load("Breast-Cancer").name == "breast_cancer"
    with pytest.raises(InputError, match="expected 30,730,000 bytes, found 5"):
        sources.load("CIFAR10", _with_bad_cifar(tmp_path))


def _with_bad_cifar(folder):
    target = folder / "cifar-10-batches-bin"
    target.mkdir()
    (target / "data_batch_1.bin").write_bytes(b"short")
    return folder


def test_files_by_their_ending(tmp_path, monkeypatch):
    inputs, labels = np.arange(12.0).reshape(6, 2), np.arange(6) % 2
    np.savez(tmp_path / "a.npz", inputs=inputs, labels=labels)
    pd.DataFrame({"p": inputs[:, 0], "outcome": labels}).to_csv(tmp_path / "b.csv", index=False)
    pd.DataFrame({"p": inputs[:, 0], "label": labels}).to_parquet(tmp_path / "c.parquet")
    monkeypatch.chdir(tmp_path)
    for source, label in (
        ("a.npz", None),
        ("b.csv", "outcome"),
        ("c.parquet", None),
        (str(tmp_path / "a.npz"), None),
    ):
        np.testing.assert_array_equal(sources.load(source, label=label).targets, labels)


@pytest.mark.parametrize("source", ["absent.npz", "absent.csv", "dir/absent.parquet"])
def test_missing_files_are_named(source):
    with pytest.raises(InputError, match=f"{source} is not a file"):
        sources.load(source)


def test_other_file_types_are_refused(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"")
    with pytest.raises(InputError, match="not of a type that is read"):
        sources.load(str(tmp_path / "a.pkl"))


def test_label_is_refused_where_it_has_no_meaning():
    with pytest.raises(InputError, match="label='y'"):
        sources.load("digits", label="y")


def _idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST/raw"), ("fashion_mnist", "FashionMNIST/raw")])
def test_idx_benchmark_from_a_data_folder(tmp_path, monkeypatch, name, folder, compress):
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8)
    labels = np.arange(20, dtype=np.uint8) % 10
    benchmark = benchmarks.BENCHMARKS[name]
    parts = []
    (tmp_path / folder).mkdir(parents=True)
    for part, array in zip(benchmark.parts, (images, labels), strict=True):
        plain = _idx(array)
        content = gzip.compress(plain, mtime=0) if compress else plain
        (tmp_path / folder / (part.name + (".gz" if compress else ""))).write_bytes(content)
        digest = f"md5:{hashlib.md5(content).hexdigest()}"
        parts.append(replace(part, size=len(plain), checksum=digest, gz_checksum=digest))
    monkeypatch.setitem(sources.BENCHMARKS, name, replace(benchmark, parts=tuple(parts)))
    dataset = sources.load(name, tmp_path, samples=12, seed=1)
    np.testing.assert_array_equal(dataset.inputs[:, 0], images[dataset.ids])
    np.testing.assert_array_equal(dataset.targets, labels[dataset.ids])
    assert dataset.inputs.dtype == np.uint8
    assert dataset.normalization == benchmark.normalization


def test_wrong_feature_count_is_named(tmp_path):
    (tmp_path / "dataset_purchase").write_text("1,0,1\n2,1,1\n")
    with pytest.raises(InputError, match=r"shape \(2,\), expected \(600,\)"):
        sources.load("purchase100", tmp_path)


def test_catalog_lists_all_and_what_is_there(tmp_path):
    (tmp_path / "purchase").mkdir()
    (tmp_path / "purchase" / "dataset_purchase").write_text("")
    rows = {row.name: row for row in sources.catalog(tmp_path)}
    assert set(rows) == {*SHAPES, *benchmarks.BENCHMARKS}
    assert {name for name, row in rows.items() if row.present} == {*SHAPES, "purchase100"}
    for name, expected in SHAPES.items():
        assert (rows[name].samples, rows[name].shape, rows[name].classes) == expected
    assert rows["cifar10"].where == str(tmp_path / "cifar-10-batches-bin")


@pytest.mark.study
@pytest.mark.parametrize(
    ("name", "first", "mean"),
    [
        ("cifar10", [6, 9, 9, 4, 1, 1, 2, 7, 8, 3], 120.70756512369792),
        ("mnist", [5, 0, 4, 1, 9, 2, 1, 3, 1, 4], 33.318421449829934),
        ("fashion_mnist", [9, 0, 0, 3, 0, 2, 7, 2, 5, 5], 72.94035223214286),
    ],
)
def test_official_files(name, first, mean):
    dataset = sources.load(name, Path(os.environ["VESTIGE_DATA"]))
    row = next(row for row in sources.catalog() if row.name == name)
    assert (dataset.num_samples, dataset.shape, dataset.num_classes) == (row.samples, row.shape, row.classes)
    np.testing.assert_array_equal(dataset.targets[:10], first)
    assert dataset.inputs.mean() == pytest.approx(mean, rel=1e-12)
    if dataset.normalization is not None:
        pixels = dataset.inputs.astype(np.float64) / 255
        np.testing.assert_allclose(dataset.normalization.mean, pixels.mean((0, 2, 3)), atol=1e-3)
        np.testing.assert_allclose(dataset.normalization.std, pixels.std((0, 2, 3)), atol=1e-3)


@pytest.mark.study
def test_official_location():
    dataset = sources.load("location30", Path(os.environ["VESTIGE_DATA"]))
    assert (dataset.num_samples, dataset.shape, dataset.num_classes) == (5010, (446,), 30)
    counts = np.bincount(dataset.targets)
    assert (counts.min(), counts.max()) == (97, 308)
    assert dataset.inputs.mean() == pytest.approx(0.1204, abs=1e-4)
