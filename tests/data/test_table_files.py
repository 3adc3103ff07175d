import numpy as np
import pandas as pd
import pytest

from vestige.core.errors import InputError
from vestige.data import tables
from vestige.data.python_source import from_object

ROWS = 40
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "age": RNG.integers(18, 90, ROWS),
        "city": RNG.choice(["Rome", "Bonn", "Oslo"], ROWS),
        "smoker": RNG.random(ROWS) < 0.5,
        "constant": 3.0,
        "label": RNG.choice(["well", "ill"], ROWS),
    }
)


def expected():
    age = FRAME["age"].to_numpy(float)
    smoker = FRAME["smoker"].to_numpy(float)
    columns = [(age - age.mean()) / age.std()]
    columns += [(FRAME["city"] == city).to_numpy(float) for city in ("Bonn", "Oslo", "Rome")]
    columns += [(smoker - smoker.mean()) / smoker.std(), np.zeros(ROWS)]
    return np.stack(columns, 1)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_columns_by_hand(tmp_path, ending):
    path = tmp_path / f"people{ending}"
    FRAME.to_parquet(path) if ending == ".parquet" else FRAME.to_csv(path, index=False)
    dataset = tables.read(path)
    np.testing.assert_allclose(dataset.inputs, expected(), atol=1e-6)
    np.testing.assert_array_equal(dataset.targets, (FRAME["label"] == "well").astype(int))
    assert (dataset.name, dataset.class_names) == ("people", ("ill", "well"))


def test_frame_from_python_is_left_alone():
    frame = FRAME.rename(columns={"age": 0})
    dataset = from_object(frame, "frame")
    np.testing.assert_allclose(dataset.inputs, expected(), atol=1e-6)
    assert frame.columns[0] == 0


@pytest.mark.parametrize("column", ["label", "target", "class", "y"])
def test_default_label_names(column):
    assert tables.from_frame(FRAME.rename(columns={"label": column}), "t").num_classes == 2


def test_number_labels_are_renumbered_in_order():
    dataset = tables.from_frame(pd.DataFrame({"a": [1, 2, 3, 4], "y": [30, 10, 20, 10]}), "t")
    np.testing.assert_array_equal(dataset.targets, [2, 0, 1, 0])
    assert dataset.class_names == ("10", "20", "30")


def test_categorical_and_nullable_columns():
    frame = FRAME.assign(city=FRAME["city"].astype("category"), age=FRAME["age"].astype("Int64"))
    np.testing.assert_allclose(tables.from_frame(frame, "t").inputs, expected(), atol=1e-6)


def with_cell(column, row, value):
    frame = FRAME.astype({"age": float, "city": object, "label": object})
    frame.loc[row, column] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "label", "message"),
    [
        (with_cell("age", 7, np.nan), None, "column 'age' row 7 has no value"),
        (with_cell("city", 3, None), None, "column 'city' row 3 has no value"),
        (with_cell("label", 5, None), None, "column 'label' row 5 has no value"),
        (with_cell("age", 9, np.inf), None, "column 'age' row 9 is infinite"),
        (FRAME, "lable", "did you mean label"),
        (FRAME.drop(columns="label"), None, "name yours with --label"),
        (FRAME.assign(name=[f"n{i}" for i in range(ROWS)]), None, "'name' has 40 different texts.*remove it"),
        (FRAME.assign(day=pd.Timestamp("2024-01-01")), None, "column 'day' holds datetime"),
        (FRAME.assign(weight=RNG.random(ROWS)), "weight", "'weight' holds fractions"),
        (FRAME.assign(number=range(ROWS)), "number", "40 different values in 40 rows"),
        (FRAME[["label"]], None, "1 columns"),
        (FRAME[:0], None, "0 rows"),
        (FRAME.assign(label="ill"), None, "every label"),
        (pd.concat([FRAME, FRAME[["age"]]], axis=1), None, "two columns are called 'age'"),
    ],
)
def test_bad_tables_are_named(frame, label, message):
    with pytest.raises(InputError, match=message):
        tables.from_frame(frame.copy(), "t", label)


def test_row_numbers_in_a_csv_are_refused(tmp_path):
    FRAME.to_csv(tmp_path / "a.csv")
    with pytest.raises(InputError, match="looks like a row number"):
        tables.read(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"\xff\xfe\x00"),
        ("a.csv", b"a,b\n1,2,3\n1,2,3,4\n"),
        ("a.parquet", b"PAR1 no"),
        ("a.csv.gz", b"no"),
    ],
)
def test_unreadable_files_are_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name} cannot be read as a table"):
        tables.read(tmp_path / name)
