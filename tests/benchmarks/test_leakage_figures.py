"""The benchmark of leave-one-out leakage runs, at toy size."""

from benchmarks.setting import Setting

from benchmarks import leakage


def test_every_size_and_every_ratio_is_measured():
    found = leakage.rows(Setting(rounds=1, scale="toy", jobs=1))
    figures = [row.figure for row in found]
    assert [figure for figure in figures if figure.endswith("classes")] == [
        *(f"softmax leakage, {count} records x 5 features x 3 classes" for count in (40, 60, 80)),
        "softmax fit and leakage, 80 records x 5 features x 3 classes",
    ]
    assert len(found) == 7
    assert all(row.value.median > 0 for row in found if "power" not in row.figure)
