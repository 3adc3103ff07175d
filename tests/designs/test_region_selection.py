"""PPTP's regions, chosen on samples that the audit leaves out."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

import vestige
from vestige.audits.options import Options
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


@pytest.mark.parametrize("samples", [None, 1797, 1700])
def test_without_reference_data_it_is_said_before_training(samples, tmp_path):
    with pytest.raises(InputError, match="needs reference data, at least 200 samples"):
        vestige.compare("digits", [AUTO], samples=samples, models=4, model="mlp-8-8", epochs=1, out=tmp_path)
    assert not (tmp_path / "cells").exists()


def test_candidates_are_every_suffix_prefix_and_all(tmp_path):
    found = selected(BASE, tmp_path)
    assert [one.words for one in found.candidates] == [
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
    assert len(trained) == 4 * (1 + len(found.candidates))  # none beside them
    assert selected(BASE, tmp_path) == found
    assert models_in(tmp_path) == trained  # nothing was trained anew


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
        ((0.0, -0.005, 0.005), (-0.1, -0.2, -0.05), True, "No regions that qualify gain privacy there"),
        ((0.2, 0.1, 0.3), (-0.1, -0.2, -0.05), False, "It gains none there"),
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
        assert manifest["options"]["defense"] == f"{AUTO}/protect={choice['chosen']['words']}"
    table = pd.read_parquet(tmp_path / "comparison.parquet")
    assert set(table.defense) == {"none", AUTO}
