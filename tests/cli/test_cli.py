"""The command as a person uses it."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from vestige.cli.main import main
from vestige.cli.progress import Lines

SMALL = ["--models", "8", "--epochs", "4", "--samples", "200", "--jobs", "1"]


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["vestige", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code, *capsys.readouterr()


def test_an_audit_ends_with_five_lines_and_shows_progress_as_lines(monkeypatch, capsys, tmp_path):
    code, out, err = run(monkeypatch, capsys, "audit", "digits", *SMALL, "--out", str(tmp_path / "a"))
    assert code == 0
    starts = [line.partition(":")[0] for line in out.splitlines()[-5:]]
    assert starts == ["How exposed", "How sure", "Most exposed records (row numbers)", "Since when", "Report"]
    assert f"vestige.audit('digits', models=8, epochs=4, samples=200, jobs=1, out='{tmp_path}/a')" in out
    assert "train: 8/8 models" in err
    assert "\x1b" not in err


def test_a_config_file_gives_the_same_run_as_options(monkeypatch, capsys, tmp_path):
    (tmp_path / "a.toml").write_text('dataset = "digits"\nmodels = 8\nepochs = 4\nsamples = 200\njobs = 1\n')
    run(monkeypatch, capsys, "audit", "digits", *SMALL, "--out", str(tmp_path / "a"))
    config = str(tmp_path / "a.toml")
    assert run(monkeypatch, capsys, "audit", "--config", config, "--out", str(tmp_path / "b"))[0] == 0
    assert (tmp_path / "a/scores.parquet").read_bytes() == (tmp_path / "b/scores.parquet").read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["audit"], "dataset='' is missing"),
        (["audit", "digitz"], "did you mean digit"),
        (["audit", "digits", "--attack", "lora"], "did you mean"),
        (["audit", "digits", "--model", "nowhere:net"], "nowhere"),
        (["audit", "digits", "--out", "/proc/nowhere"], "cannot be written"),
        (["audit", "cifar10", "--data-dir", "empty"], "--data-dir"),
        (["score", "nowhere.npz"], "does not exist"),
    ],
)
def test_bad_input_is_one_line_and_status_2(monkeypatch, capsys, tmp_path, words, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(monkeypatch, capsys, *words)
    assert code == 2
    last = err.strip().splitlines()[-1]
    assert last.startswith("vestige: ")
    assert message in last


def test_a_policy_decides_the_exit_status(monkeypatch, capsys, tmp_path):
    words = ["audit", "digits", *SMALL, "--out", str(tmp_path / "a"), "--policy"]
    assert run(monkeypatch, capsys, *words, "auc<=0.4")[0] == 1
    assert run(monkeypatch, capsys, *words, "auc<=0.99")[0] == 0
    assert run(monkeypatch, capsys, *words, "tpr@0.0001<=0.01")[0] == 4


def test_score_audits_a_file(monkeypatch, capsys, tmp_path):
    generator = np.random.default_rng(0)
    mask = np.argsort(generator.random((8, 300)), 0) < 4
    values = generator.normal(size=mask.shape) + mask
    np.savez(tmp_path / "ready.npz", values=values, membership=mask)
    code, out, _ = run(
        monkeypatch, capsys, "score", str(tmp_path / "ready.npz"), "--out", str(tmp_path / "s")
    )
    assert code == 0
    assert "How exposed: lira-online-fixed" in out


def test_score_takes_features_for_the_attacks_that_need_them(monkeypatch, capsys, tmp_path):
    generator = np.random.default_rng(0)
    mask = np.argsort(generator.random((8, 300)), 0) < 4
    known = {"labels": np.arange(300) % 3 * 10**9 - 1, "features": generator.normal(size=(300, 4))}
    np.savez(
        tmp_path / "ready.npz", values=generator.normal(size=mask.shape) + mask, membership=mask, **known
    )
    words = ("--attack", "lira-online-fixed", "--attack", "joint", "--out", str(tmp_path / "s"))
    assert run(monkeypatch, capsys, "score", str(tmp_path / "ready.npz"), *words)[0] == 0
    attacks = json.loads((tmp_path / "s" / "summary.json").read_text())["attacks"]
    assert [one["attack"] for one in attacks] == ["lira-online-fixed", "joint", "student-t", "base-online"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"values": np.zeros((4, 4)), "membership": np.eye(4, dtype=bool), "features": np.zeros(4)},
            "features has shape (4,)",
        ),
        (
            {"values": np.zeros((4, 4)), "membership": np.eye(4, dtype=bool), "labels": np.eye(4)},
            "labels has shape (4, 4); give 4 integers, one per sample",
        ),
        (
            {"values": np.zeros((4, 4)), "membership": np.eye(4, dtype=bool), "labels": np.full(4, 0.5)},
            "labels: sample 0 has 0.5; give 4 integers, one per sample",
        ),
        ({"values": np.zeros((4, 9))}, "needs an array 'membership'"),
        ({"values": np.zeros((4, 9)), "membership": np.zeros((4, 8), bool)}, "membership has shape"),
        ({"values": np.zeros((4, 9)), "membership": np.zeros((4, 9), bool)}, "in no model"),
        ({"values": np.array([object()]), "membership": np.zeros((4, 9), bool)}, "without pickled objects"),
    ],
)
def test_bad_score_files_are_refused(monkeypatch, capsys, tmp_path, arrays, message):
    monkeypatch.chdir(tmp_path)
    np.savez("bad.npz", **arrays)
    code, _, err = run(monkeypatch, capsys, "score", "bad.npz")
    assert code == 2
    assert message in err
    assert [p.name for p in tmp_path.iterdir()] == ["bad.npz"]


def test_lists_are_printed(monkeypatch, capsys):
    assert "student-t" in run(monkeypatch, capsys, "attacks")[1]
    assert "location30" in run(monkeypatch, capsys, "data", "ls")[1]
    assert "audit" in run(monkeypatch, capsys, "--help")[1]


def test_a_killed_run_continues_to_the_same_bytes(tmp_path):
    """SIGKILL while models train, then the same command again."""
    words = [
        "audit",
        "digits",
        "--models",
        "16",
        "--epochs",
        "30",
        "--samples",
        "900",
        "--jobs",
        "2",
        "--quiet",
    ]
    command = [sys.executable, "-m", "vestige.cli", *words, "--out"]
    victim = subprocess.Popen([*command, str(tmp_path / "cut")], start_new_session=True)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("cut/signals/*/model-*.json")):
        assert victim.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    finished = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("cut/signals/*/model-*.json")}
    assert not (tmp_path / "cut/scores.parquet").exists()
    for name in ("cut", "whole"):
        subprocess.run([*command, str(tmp_path / name)], check=True, stdout=subprocess.DEVNULL)
    for name in ("scores", "plane", "samples"):
        assert (tmp_path / f"cut/{name}.parquet").read_bytes() == (
            tmp_path / f"whole/{name}.parquet"
        ).read_bytes()
    assert {
        p.name: p.stat().st_mtime_ns for p in tmp_path.glob("cut/signals/*/model-*.json")
    }.items() >= finished.items()


def test_on_a_terminal_progress_is_drawn_and_control_c_ends_with_130(tmp_path):
    master, slave = pty.openpty()
    words = ["audit", "digits", "--epochs", "400", "--jobs", "1", "--out", str(tmp_path / "a")]
    process = subprocess.Popen(
        [sys.executable, "-m", "vestige.cli", *words],
        stdout=slave,
        stderr=slave,
        stdin=slave,
        # tests that run in the background of a shell have the signal switched off, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    os.close(slave)
    seen = b""
    while b"models" not in seen:
        seen += os.read(master, 4096)
    process.send_signal(signal.SIGINT)
    try:
        while chunk := os.read(master, 4096):
            seen += chunk
    except OSError:  # the terminal closes with the process
        pass
    os.close(master)
    assert process.wait() == 130
    assert b"\x1b[" in seen
    assert b"run the same command to go on" in seen
    assert b"Traceback" not in seen


def test_plain_lines_are_few(capsys):
    from vestige.audits.step import Step

    lines = Lines()
    for done in range(101):
        lines.show(Step("train", done, 100, "models", float(done)))
    assert capsys.readouterr().err.splitlines() == [
        "train: 0/100 models",
        "train: 100/100 models done in 1:40",
    ]
