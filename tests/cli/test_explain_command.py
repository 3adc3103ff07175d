"""`vestige explain RUN`."""

import sys

import pytest

import vestige
from vestige.cli.main import main

pytest.importorskip("captum")


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["vestige", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code, *capsys.readouterr()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "a"
    vestige.audit("wine", models=6, epochs=8, checkpoints=3, out=out, jobs=1)
    return out


def test_it_prints_the_call_the_answer_and_the_files(monkeypatch, capsys, folder):
    words = ("--rule", "lira", "--fpr", "0.05", "--attribution", "none", "--records", "20")
    code, out, err = run(monkeypatch, capsys, "explain", str(folder), *words)
    assert code == 0
    assert f"vestige.explain('{folder}', rule='lira', fpr=0.05" in out
    assert "Model 0 gives away" in out
    assert out.splitlines()[-1] == f"Report: {folder}/explain/report.html"
    for stage in ("score", "look", "t-SNE", "compare", "write"):
        assert f"{stage}:" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["."], "is not the folder of a run"),
        (["FOLDER", "--rule", "best"], "rule='best'"),
        (["FOLDER", "--attribution", "grad-cam"], "no convolution"),
        (["FOLDER", "--layer", "conv", "--attribution", "none"], "leave one out"),
        (["FOLDER", "--perplexity", "500"], "perplexity=500"),
    ],
)
def test_bad_input_is_one_line_and_status_2(monkeypatch, capsys, folder, words, message):
    given = [str(folder) if word == "FOLDER" else word for word in words]
    code, _, err = run(monkeypatch, capsys, "explain", *given)
    assert code == 2
    assert message in err.strip().splitlines()[-1]
