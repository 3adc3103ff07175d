"""PPTP's regions, chosen on samples that the audit leaves out."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import vestige
from vestige.audits.options import Options
from vestige.cli.main import app
from vestige.core.errors import InputError
from vestige.data import sources
from vestige.defenses.writing import from_text
from vestige.designs import selection
from vestige.designs.selection import Candidate, best, decided, reference_data, selected, undecided
from vestige.risk.estimate import Estimate

AUTO = "pptp:label_smoothing:0.3"
BASE = Options(
    dataset="digits", samples=900, model="mlp-16-16-relu", epochs=3, models=4, seed=3, jobs=1, defense=AUTO
)


def row(words, lost, gained, parameters=1):
    return Candidate(
        words=words, lost=Estimate(value=lost), gained=Estimate(value=gained), parameters=parameters
    )


def test_the_largest_gain_within_the_budget_is_chosen():
    rows = [row("head", 0.0, 0.02), row("back", 0.01, 0.05), row("front", 0.02, 0.2), row("all", 0.03, 0.3)]
    assert best(rows, 0.01) == (rows[1], True)
    assert best(rows, 0.02) == (rows[2], True)
    assert best(rows, 0.0) == (rows[0], True)


def test_ties_go_to_fewer_parameters():
    rows = [row("back", 0.0, 0.05, 100), row("head", 0.0, 0.05, 10), row("all", 0.0, 0.05, 200)]
    assert best(rows, 0.01)[0].words == "head"


def test_where_none_qualifies_all_are_protected_and_it_is_said():
    rows = [row("head", 0.02, 0.5), row("all", 0.3, 0.1)]
    assert best(rows, 0.01) == (rows[-1], False)
    found = selection.Selection(
        defense=AUTO,
        seed=1,
        samples=300,
        budget=0.01,
        candidates=tuple(rows),
        chosen=rows[-1],
        qualified=False,
    )
    assert "no regions kept within 0.01 of the accuracy without it, so all of them" in found.note


NOTHING = row("none", 0.0, 0.0, 0)


def test_nothing_is_protected_where_nothing_gains():
    rows = [NOTHING, row("head", -0.01, -0.02), row("back", 0.0, 0.0), row("all", 0.3, 0.5)]
    assert best(rows, 0.01) == (NOTHING, True)
    assert best([NOTHING, row("head", 0.0, 0.001), row("all", 0.0, 0.0)], 0.01)[0].words == "head"
    assert best([NOTHING, row("head", 0.1, 0.2), row("all", 0.2, -0.1)], 0.01) == (NOTHING, False)
    assert best([NOTHING, row("head", 0.1, 0.2), row("all", 0.2, 0.1)], 0.01)[0].words == "all"


@pytest.mark.parametrize(
    ("qualified", "said"),
    [
        (True, "Seed 1: protects none, so that pptp is left out, chosen on 300 samples that the audit "
               "leaves out (no regions within 0.01 of the accuracy without it gain privacy there)."),
        (False, "Seed 1: protects none, so that pptp is left out, chosen on 300 samples that the audit "
                "leaves out (no regions kept within 0.01 of the accuracy without it, and all of them "
                "together gain no privacy there)."),
    ],
)  # fmt: skip
def test_that_nothing_is_protected_is_said(qualified, said):
    found = selection.Selection(
        defense=AUTO,
        seed=1,
        samples=300,
        budget=0.01,
        candidates=(NOTHING,),
        chosen=NOTHING,
        qualified=qualified,
    )
    assert found.note == said


@pytest.mark.parametrize("missing", [row("head", None, 0.9), row("head", 0.0, None)])
def test_what_was_not_measured_does_not_qualify(missing):
    rows = [NOTHING, missing, row("back", 0.0, 0.1), row("all", 0.0, 0.05)]
    assert best(rows, 0.01)[0].words == "back"
    assert best([NOTHING, missing, row("all", 0.5, 0.1)], 0.01) == (row("all", 0.5, 0.1), False)
    assert best([missing], 0.01) == (missing, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (AUTO, f"{AUTO}/protect=head"),
        (f"{AUTO}/protect=auto/strength=0.5", f"{AUTO}/protect=head/strength=0.5"),
        (f"{AUTO}/auto/0.5", f"{AUTO}/protect=head/0.5"),
        (f"{AUTO},protect = auto", f"{AUTO}/protect=head"),
        ("pptp:protect=auto/defense=relax_loss:0.5", "pptp:protect=head/defense=relax_loss:0.5"),
        (f"{AUTO}/auto", f"{AUTO}/protect=head"),
        (f"weight_decay:0.001+{AUTO}", f"weight_decay:0.001+{AUTO}/protect=head"),
        (f"{AUTO}/protect=back", f"{AUTO}/protect=back"),
        ("label_smoothing:0.3", "label_smoothing:0.3"),
    ],
)
def test_a_choice_is_written_into_the_defense(text, expected):
    assert decided(text, "head") == expected
    assert undecided(text) == (text != expected)
    assert from_text(decided(text, "head")) == from_text(expected)
    assert not undecided(expected)


def test_without_regions_the_other_defenses_stay():
    assert decided(f"weight_decay:0.001+{AUTO}", "none") == "weight_decay:0.001"
    assert decided(AUTO, "none") == "none"


def test_reference_samples_are_none_of_the_audited_ones():
    audited = sources.load("digits", None, BASE.samples, BASE.seed)
    rest = reference_data(BASE)
    assert rest.num_samples == 1797 - 900
    assert not np.intersect1d(audited.ids, rest.ids).size
    whole = sources.load("digits")
    assert np.array_equal(rest.inputs, whole.inputs[rest.ids])


def test_there_are_no_more_reference_samples_than_audited_ones():
    assert sources.left_out("digits", None, 300, 0).num_samples == 300
    assert sources.left_out("digits", None, None, 0) is None


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (None, "of which all of them are audited: give samples from 200 to 1597"),
        (1797, "of which samples=1797 are audited: give"),
        (1700, "of which samples=1700 are audited: give"),
        (150, "of which samples=150 are audited: give samples from 200"),
    ],
)
def test_without_reference_data_it_is_said_before_training(samples, said, tmp_path):
    with pytest.raises(
        InputError, match=f"needs reference data, at least 200 samples.*digits has 1797, {said}"
    ):
        vestige.compare("digits", [AUTO], samples=samples, models=4, model="mlp-8-8", epochs=1, out=tmp_path)
    assert not (tmp_path / "cells").exists()


def test_candidates_are_every_suffix_prefix_and_all(tmp_path):
    found = selected(BASE, tmp_path)
    assert [one.words for one in found.candidates] == [
        "none",
        "head",
        "layer2..head",
        "layer1",
        "layer1..layer2",
        "all",
    ]
    sizes = {one.words: one.parameters for one in found.candidates}
    assert sizes["head"] == 16 * 10 + 10
    assert sizes["all"] == sizes["layer1"] + sizes["layer2..head"]
    assert found.chosen in found.candidates
    trained = models_in(tmp_path)
    assert len(trained) == 4 * len(found.candidates)
    assert (found.candidates[0].lost.value, found.candidates[0].gained.value, sizes["none"]) == (0, 0, 0)
    assert selected(BASE, tmp_path) == found
    assert models_in(tmp_path) == trained  # nothing was trained anew


def test_a_data_set_without_room_for_reference_data_is_told_so(tmp_path):
    with pytest.raises(InputError, match="iris has 150 in all: name regions"):
        vestige.compare("iris", [AUTO], samples=100, models=4, model="mlp-8-8", epochs=1, out=tmp_path)


def test_the_choice_is_made_on_no_audited_sample(tmp_path, monkeypatch):
    """All that is trained for the choice and all that is measured, by the ids of their samples."""
    from vestige.designs import compare

    trained = {"selection": [], "cells": []}
    for module in (selection, compare):
        real = module.fit_all

        def watched(plans, folders, *rest, real=real):
            for plan, folder in zip(plans, folders, strict=True):
                trained[folder.relative_to(tmp_path).parts[0]].append(plan.dataset)
            return real(plans, folders, *rest)

        monkeypatch.setattr(module, "fit_all", watched)
    vestige.compare(
        "digits", [AUTO], seeds=1, distance=False, labels=False, samples=900, model="mlp-8-8", epochs=1,
        models=4, jobs=1, out=tmp_path,
    )  # fmt: skip
    (choice,) = json.loads((tmp_path / "selection.json").read_text())["choices"]
    assert len(trained["selection"]) == len(choice["candidates"])
    assert len(trained["cells"]) == 2
    for data in trained["selection"]:
        assert choice["samples"] == data.num_samples == 897
        assert all(not np.intersect1d(data.ids, audited.ids).size for audited in trained["cells"])


def test_regions_of_ones_own_are_chosen_among(tmp_path):
    folder = tmp_path / "auto"  # a folder of that name is no word for regions
    folder.mkdir()
    (folder / "regions.toml").write_text('late = ["3", "5"]\nearly = ["1"]\n')
    text = f"{AUTO}/regions={folder}/regions.toml/protect=auto"
    assert decided(text, "late") == text.replace("protect=auto", "protect=late")
    found = selected(dataclasses.replace(BASE, defense=text), tmp_path / "run")
    assert [one.words for one in found.candidates] == ["none", "late", "early", "all"]


def models_in(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}


def test_noise_in_the_data_is_in_the_reference_data_alike(tmp_path):
    noisy = dataclasses.replace(BASE, label_noise=0.2, canaries=10)
    found = selection._prepared(noisy, "head", reference_data(noisy), tmp_path)
    assert found.mislabelled.mean() == pytest.approx(0.2, abs=0.01)
    assert found.canaries is None
    assert found.plan.seed != BASE.seed
    assert found.options.defense == f"{AUTO}/protect=head"


def test_a_network_with_one_region_leaves_nothing_to_choose(tmp_path):
    with pytest.raises(InputError, match="one region only"):
        vestige.compare("digits", [AUTO], samples=900, models=4, model="linear", epochs=1, out=tmp_path)
    assert not (tmp_path / "cells").exists()


@pytest.mark.parametrize(
    ("lost", "gained", "qualified", "said"),
    [
        ((0.0, -0.005, 0.005), (0.1, 0.05, 0.15), True, ""),
        ((0.008, 0.0, 0.02), (0.1, 0.05, 0.15), True, "the accuracy lost may be above that"),
        ((0.0, -0.005, 0.005), (0.1, -0.05, 0.25), True, "the gain may be none"),
        ((0.2, 0.1, 0.3), (0.1, -0.05, 0.25), False, "the gain may be none"),
    ],
)
def test_what_the_intervals_leave_open_is_said(lost, gained, qualified, said):
    lost, gained = (Estimate(value=v, low=low, high=high) for v, low, high in (lost, gained))
    one = Candidate(words="head", lost=lost, gained=gained, parameters=1)
    note = selection.Selection(
        defense=AUTO, seed=0, samples=300, budget=0.01, candidates=(one,), chosen=one, qualified=qualified
    ).note
    assert said in note
    assert note.endswith("there).") == (not said)


def test_a_comparison_chooses_for_each_seed_and_trains_what_was_chosen(tmp_path, monkeypatch):
    """No audited sample may have a part in it: the choice is made before any compared model is trained."""
    real = selection.selected
    seen = []

    def watched(options, folder, listener):
        seen.append((options.seed, (tmp_path / "cells").exists()))
        return real(options, folder, listener)

    monkeypatch.setattr("vestige.designs.compare.selected", watched)
    found = vestige.compare(
        "digits", [AUTO], seeds=2, distance=False, samples=900, model="mlp-16-16-relu", epochs=3, models=4,
        jobs=1, out=tmp_path,
    )  # fmt: skip
    assert seen == [(0, False), (1, False)]
    assert found.defenses == ("none", AUTO)
    assert not found.failures
    notes = next(one.notes for one in found.summary if one.name == AUTO)
    assert [note.partition(":")[0] for note in notes] == ["Seed 0", "Seed 1"]
    choices = json.loads((tmp_path / "selection.json").read_text())["choices"]
    for seed, choice in enumerate(choices):
        cell = next((tmp_path / "cells").glob(f"defense=pptp*seed={seed}"))
        manifest = json.loads((cell / "manifest.json").read_text())
        assert manifest["options"]["defense"] == decided(AUTO, choice["chosen"]["words"])
    table = pd.read_parquet(tmp_path / "comparison.parquet")
    assert set(table.defense) == {"none", AUTO}


def test_the_choice_is_printed_and_written(tmp_path):
    words = [
        "compare",
        "digits",
        "--quiet",
        "--seeds",
        "1",
        "--no-distance",
        "--no-labels",
        "--samples",
        "900",
    ]
    words += ["--model", "mlp-8-8", "--epochs", "1", "--models", "4", "--jobs", "1", "--out", str(tmp_path)]
    ran = CliRunner().invoke(app, [*words, "--defense", AUTO])
    assert ran.exit_code == 0, ran.output
    (note,) = json.loads((tmp_path / "comparison.json").read_text())["notes"][AUTO]
    assert note.startswith("Seed 0: protects ")
    assert f"{AUTO}: {note}" in ran.output.splitlines()


def test_a_defense_of_the_loss_beside_it_is_refused_before_training(tmp_path):
    defense = f"{AUTO}/protect=auto+relax_loss:0.5"
    with pytest.raises(InputError, match="relax_loss would displace the loss that pptp gives"):
        vestige.compare("digits", [defense], samples=900, models=4, model="mlp-8-8", epochs=1, out=tmp_path)
    assert not (tmp_path / "cells").exists()


@pytest.mark.parametrize("call", ["compare('digits', [own])", "audit('digits', defense=own)"])
def test_an_object_where_text_is_read_is_refused_in_one_line(call, tmp_path):
    """In a process of its own: tests check types, as users do not."""
    code = (
        "import vestige; from vestige.defenses.pptp import PPTP; "
        "from vestige.defenses.label_smoothing import LabelSmoothing; "
        f"own = PPTP(defense=LabelSmoothing(amount=0.3), regions={{'a': ['1']}}); vestige.{call}"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "InputError: defense: a PPTP is given where text is read; write it" in ran.stderr.splitlines()[-1]
