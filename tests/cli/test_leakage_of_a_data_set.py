"""`vestige leakage DATASET`."""

import json
import sys

import pytest

from vestige.cli.main import main


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["vestige", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code, *capsys.readouterr()


PAIR = ("leakage", "digits", "--classes", "3,8", "--model", "ridge")


def test_it_prints_the_call_a_table_slopes_and_files(monkeypatch, capsys, tmp_path):
    out = tmp_path / "a"
    code, said, _ = run(
        monkeypatch, capsys, *PAIR, "--sigma", "0.05", "--vary", "size=40,80,160", "--bits", "--out", str(out)
    )
    assert code == 0
    assert "vestige.leakage_sweep('digits', vary={'size': [40, 80, 160]}" in said
    assert "classes='3,8', sigma=0.05" in said
    assert "bits, mean over seeds" in said
    assert "KL over size, mean: slope -1." in said
    assert said.splitlines()[-1] == f"Report: {out}/leakage.html"
    assert json.loads((out / "sweep.json").read_text())["unit"] == "nats"


def test_the_printed_call_repeats_the_sweep(monkeypatch, capsys, tmp_path):
    from vestige.designs.leakage_sweep import leakage_sweep

    out = tmp_path / "a"
    words = ("--sigma", "1", "--size", "40", "--seeds", "1", "--out", str(out))
    _, said, _ = run(monkeypatch, capsys, *PAIR, *words)
    call = said.splitlines()[0].removeprefix("Python: vestige.")
    before = (out / "sweep.parquet").read_bytes()
    eval(call, {"leakage_sweep": leakage_sweep})
    assert (out / "sweep.parquet").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("leakage", "nowhere", "--sigma", "1"), "data set='nowhere'"),
        ((*PAIR, "--sigma", "-1"), "sigma=-1"),
        (PAIR, "none of sigma, epsilon and temperature"),
        (("leakage", "digits", "--model", "logistic", "--sigma", "1"), "--classes"),
        ((*PAIR, "--sigma", "1", "--vary", "sise=1"), "did you mean size"),
        ((*PAIR, "--sigma", "1", "--vary", "size"), "OPTION=LEVEL"),
    ],
)
def test_bad_input_is_one_line_and_status_2(monkeypatch, capsys, words, message):
    code, _, said = run(monkeypatch, capsys, *words)
    assert code == 2
    assert message in said.strip().splitlines()[-1]


def test_a_folder_takes_no_options_of_a_data_set(monkeypatch, capsys, tmp_path):
    code, _, said = run(monkeypatch, capsys, "leakage", str(tmp_path), "--sigma", "1")
    assert code == 2
    assert "sigma: for data sets only" in said
