"""`vestige leakage RUN`."""

import sys

import pytest

import vestige
from vestige.cli.main import main


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["vestige", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code, *capsys.readouterr()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "a"
    options = {"models": 16, "epochs": 6, "checkpoints": 2, "samples": 120, "jobs": 1}
    vestige.audit("digits", out=out, attack=("lira-online-fixed", "loss"), **options)
    return out


def test_it_prints_the_call_the_bracket_and_the_files(monkeypatch, capsys, folder):
    code, out, _ = run(monkeypatch, capsys, "leakage", str(folder), "--bits", "--temperature", "0.5")
    assert code == 0
    assert f"leakage_of('{folder}', temperature=0.5)" in out
    assert "KL divergence, bits" in out
    assert "temperature 0.5" in out
    assert out.splitlines()[-1] == f"Written: {folder}/leakage.json"
    assert (folder / "leakage.parquet").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [(["."], "is not the folder of a run"), (["FOLDER", "--temperature", "-1"], "temperature=-1")],
)
def test_bad_input_is_one_line_and_status_2(monkeypatch, capsys, folder, words, message):
    given = [str(folder) if word == "FOLDER" else word for word in words]
    code, _, err = run(monkeypatch, capsys, "leakage", *given)
    assert code == 2
    assert message in err.strip().splitlines()[-1]
