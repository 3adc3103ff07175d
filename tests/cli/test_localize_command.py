"""`vestige localize`: its options, its last words and its errors."""

import typer
from typer.testing import CliRunner

from vestige.cli.localize import localize
from vestige.core.errors import InputError

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(localize)
SMALL = ["--samples", "200", "--models", "4", "--epochs", "4", "--model", "mlp-16", "--jobs", "1", "--quiet"]


def test_it_prints_the_map_the_answer_and_the_report(tmp_path):
    folder = tmp_path / "run"
    found = CliRunner().invoke(app, ["digits", *SMALL, "--rewind", "0", "--out", str(folder)])
    assert found.exit_code == 0, found.output
    assert "Rewinding to epoch 0" in found.output
    assert "By routed training, which decides" in found.output
    assert f"Report: {folder / 'report.html'}" in found.output
    assert (folder / "report.html").is_file()


def test_it_takes_regions_of_the_network_from_a_file(tmp_path):
    path = tmp_path / "regions.toml"
    path.write_text('body = ["1"]\nfc = ["3"]\n')
    words = ["digits", *SMALL, "--rewind", "0", "--regions", str(path), "--out", str(tmp_path / "run")]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    assert [line.split()[0] for line in found.output.splitlines()[1:3]] == ["body", "fc"]


def test_it_takes_the_options_of_an_audit_and_its_own():
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    for option in ("--label-noise", "--models", "--defense", "--grain", "--regions", "--rewind"):
        assert option in shown


def test_bad_input_reaches_the_shell_as_one_line(tmp_path):
    found = CliRunner().invoke(app, ["digits", "--models", "2", "--out", str(tmp_path / "never")])
    assert isinstance(found.exception, InputError)
    assert "models=2 must be at least 4" in str(found.exception)
