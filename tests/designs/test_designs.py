"""A design of small cells: what it checks, trains, writes and repeats."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from vestige.audits.options import Options
from vestige.cli.main import app
from vestige.core.errors import InputError, RunFolderError
from vestige.designs.design import Design, Factor, factor, factor_from
from vestige.designs.run import dynamics
from vestige.risk.result import from_json

SMALL = {"samples": 200, "models": 8, "epochs": 4, "checkpoints": 3, "attack": "lira-online-fixed", "jobs": 1}
VARY = {"optimizer": ["sgd", "adam"], "model": ["mlp-8", "linear"]}


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    return dynamics("digits", vary=VARY, out=tmp_path_factory.mktemp("design") / "run", **SMALL)


def test_cells_are_the_full_crossing_in_order(comparison):
    assert [cell.name for cell in comparison.cells] == [
        "optimizer=sgd, model=mlp-8",
        "optimizer=sgd, model=linear",
        "optimizer=adam, model=mlp-8",
        "optimizer=adam, model=linear",
    ]


def test_each_cell_is_an_audit_like_any_other(comparison):
    import vestige

    cell = comparison.cells[2]
    alone = vestige.audit(
        "digits", optimizer="adam", model="mlp-8", out=cell.folder.parent / "alone", **SMALL
    )
    for name in ("scores.parquet", "plane.parquet", "dynamics.parquet"):
        assert (cell.folder / name).read_bytes() == (alone.folder / name).read_bytes()


def test_the_table_holds_each_cells_own_figures(comparison):
    table = comparison.table
    assert list(table.columns[:3]) == ["cell", "optimizer", "model"]
    for cell in comparison.cells:
        rows = table[table.cell == cell.name].set_index("metric")
        assert rows.value["displacement"] == cell.result.dynamics.figure("displacement").estimate.value
        assert rows.value["auc"] == cell.result.headline.auc.value
        assert rows.low["auc"] <= rows.value["auc"] <= rows.high["auc"]
        assert 0 < rows.value["test_accuracy"] <= 1
    assert comparison.of("half_time").index.tolist() == [c.name for c in comparison.cells]
    written = pd.read_parquet(comparison.folder / "comparison.parquet")
    pd.testing.assert_frame_equal(written, table)
    curves = pd.read_parquet(comparison.folder / "curves.parquet")
    assert set(curves.epoch[curves.curve == "mean_advantage"]) == {0.0, 1.0, 4.0}
    document = json.loads((comparison.folder / "comparison.json").read_text())
    assert len(document["rows"]) == len(table)


def test_the_page_names_every_cell_and_asks_nothing_of_a_network(comparison):
    page = comparison.report.read_text(encoding="utf-8")
    for cell in comparison.cells:
        assert f'href="cells/{cell.folder.name}/report.html"' in page
        assert (cell.folder / "report.html").is_file()
    assert 'id="figure-compare-displacement"' in page
    assert 'id="figure-over-mean_advantage"' in page
    assert "default-src 'none'" in page


def test_a_finished_design_is_taken_up_and_a_damaged_cell_done_again(comparison, monkeypatch):
    folder = comparison.folder
    before = (folder / "comparison.parquet").read_bytes()
    (comparison.cells[1].folder / "summary.json").write_text("{")
    rerun = []
    from vestige.audits import audit as audits

    original = audits.run
    monkeypatch.setattr(audits, "run", lambda one, listener: rerun.append(one) or original(one, listener))
    trained = []
    again = dynamics("digits", vary=VARY, out=folder, listener=lambda s: trained.append(s.stage), **SMALL)
    assert len(rerun) == 1
    assert "reuse" in trained
    assert (folder / "comparison.parquet").read_bytes() == before
    assert from_json((again.cells[1].folder / "summary.json").read_text()).headline.attack


def test_an_edited_design_trains_only_what_is_new(comparison, monkeypatch):
    from vestige.population import fit as fits

    trained = []
    original = fits.fit_all

    def watched(plans, folders, jobs, report):
        found = original(plans, folders, jobs, report)
        trained.extend(one.trained for one in found)
        return found

    monkeypatch.setattr("vestige.designs.run.fit_all", watched)
    dynamics("digits", vary={**VARY, "optimizer": ["sgd", "adamw"]}, out=comparison.folder, **SMALL)
    assert trained == [0, 0, 8, 8]


def test_without_factors_there_is_one_cell(tmp_path):
    found = dynamics("digits", out=tmp_path / "one", **SMALL)
    assert [cell.name for cell in found.cells] == ["base"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("optimizr=sgd", "optimizer"),
        ("out=a,b", "option to vary"),
        ("optimizer", "OPTION=LEVEL"),
        ("epochs=ten", "whole numbers"),
        ("lr=fast", "numbers"),
        ("seed=1,1", "twice"),
    ],
)
def test_a_wrong_factor_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        factor_from(text)


def test_levels_get_the_options_type():
    assert factor_from("lr=0.1,1").levels == (0.1, 1.0)
    assert factor_from("batch-size=8,16") == Factor("batch_size", (8, 16))
    assert factor("attack", ["loss"]).levels == ("loss",)
    cells = Design(Options(dataset="digits"), (factor("attack", ["loss", "rmia-online"]),)).cells
    assert cells[1].options.attack == ("rmia-online",)


def test_an_option_twice_or_too_many_cells_are_refused():
    one = factor("seed", list(range(30)))
    with pytest.raises(InputError, match="twice"):
        Design(Options(), (one, one))
    with pytest.raises(InputError, match="900 cells"):
        Design(Options(), (one, factor("models", list(range(2, 32))))).cells  # noqa: B018


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({"optimizer": ["sgd", "lion"]}, "cell optimizer=lion: .*optimizer"),
        ({"model": ["mlp", "convnet"]}, "cell model=convnet: .*image"),
        ({"dataset": ["digits", "digit"]}, "cell dataset=digit: .*digits"),
    ],
)
def test_a_level_that_does_not_exist_is_refused_before_any_training(vary, message, tmp_path):
    given = {} if "dataset" in vary else {"dataset": "digits"}
    with pytest.raises(InputError, match=message):
        dynamics(**given, vary=vary, out=tmp_path / "never", **SMALL)
    assert not (tmp_path / "never").exists()


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(RunFolderError, match=r"thesis\.txt"):
        dynamics("digits", out=tmp_path, **SMALL)


def test_the_command_gives_the_same_as_the_call(comparison, tmp_path):
    out = str(tmp_path / "cli")
    words = [
        "dynamics",
        "digits",
        "--vary",
        "optimizer=sgd,adam",
        "--model",
        "mlp-8",
        "--quiet",
        "--out",
        out,
    ]
    words += [f"--{k}={v}" for k, v in SMALL.items()]
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == 0, ran.output
    assert "vary={'optimizer': ['sgd', 'adam']}" in ran.output
    assert f"Report: {out}/comparison.html" in ran.output
    table = pd.read_parquet(f"{out}/comparison.parquet").set_index(["optimizer", "metric"]).value
    mine = comparison.table[comparison.table.model == "mlp-8"].set_index(["optimizer", "metric"]).value
    assert np.array_equal(table.to_numpy(), mine.to_numpy(), equal_nan=True)
