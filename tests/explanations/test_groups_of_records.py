import numpy as np
import pandas as pd
import pytest

from vestige.core.errors import InputError
from vestige.data.dataset import Dataset
from vestige.explanations.groups import by_class, by_group, groups_of


def data(samples=40, ids=None):
    labels = np.arange(samples) % 2
    return Dataset(np.zeros((samples, 3), np.float32), labels, 2, "toy", sample_ids=ids)


def test_groups_are_taken_as_they_are():
    assert list(groups_of(["a", "b"] * 20, data())[:2]) == ["a", "b"]


def test_a_subset_takes_the_groups_of_its_own_rows():
    ids = np.arange(40) * 2 + 1
    groups = np.arange(100)
    np.testing.assert_array_equal(groups_of(groups, data(ids=ids)), ids)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_with_the_column_after_a_colon(tmp_path, suffix):
    table = pd.DataFrame({"sex": ["f", "m"] * 20, "age": range(40)})
    path = tmp_path / f"people{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    assert list(groups_of(f"{path}:sex", data())[:2]) == ["f", "m"]
    with pytest.raises(InputError, match="name one of its columns after a colon: sex, age"):
        groups_of(str(path), data())


def test_a_file_of_one_column_needs_no_name(tmp_path):
    path = tmp_path / "people.csv"
    pd.DataFrame({"sex": ["f", "m"] * 20}).to_csv(path, index=False)
    assert len(groups_of(path, data())) == 40


def test_another_length_is_refused():
    with pytest.raises(InputError, match="groups holds 39 entries for 40 records"):
        groups_of(["a"] * 39, data())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv.* cannot be read"):
        groups_of(str(tmp_path / "none.csv"), data())


def test_an_exposed_group_is_found():
    exposed = np.r_[np.full(20, 0.9), np.full(20, 0.1)] + np.random.default_rng(0).normal(0, 0.05, 40)
    found = by_group(exposed, np.array(["a"] * 20 + ["b"] * 20))
    assert found.groups[0].name == "a"
    assert found.p < 0.01


def test_classes_have_their_names():
    found = by_class(np.linspace(0, 1, 40), data())
    assert {group.name for group in found.groups} == {"class 0", "class 1"}
