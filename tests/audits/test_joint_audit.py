"""An audit with the attack that takes all candidates together."""

import json

import numpy as np
import pytest

import vestige
from vestige.audits.preparation import named_attacks

SMALL = {"models": 8, "epochs": 4, "checkpoints": 2, "jobs": 1}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "digits"
    return vestige.audit("digits", attack=("lira-online-fixed", "vestige"), samples=300, out=folder, **SMALL)


def test_published_attacks_stand_beside_it(digits):
    names = [one.attack for one in digits.result.attacks]
    assert names == ["lira-online-fixed", "vestige", "student-t", "base-online"]
    assert [one.attack for one in digits.result.attacks if one.transductive] == ["vestige"]
    assert [one.name for one in named_attacks(("loss",))] == ["loss"]


def test_its_small_print_says_which_parts_it_used(digits):
    attacks = json.loads((digits.folder / "summary.json").read_text())["attacks"]
    assert attacks[1]["small_print"].startswith("joint-stacked: all candidates at once; kernel on inputs")


def test_no_table_of_the_report_holds_both_attackers(digits):
    page = (digits.folder / "report.html").read_text(encoding="utf-8")
    tables = [part.split("</table>")[0] for part in page.split("<table")[1:]]
    both = [part for part in tables if "lira-online-fixed" in part and "vestige" in part]
    assert all("Coverage" in part for part in both)  # what was run, no figures
    rates = [part for part in tables if "Share of members named (TPR)" in part]
    assert len(rates) == 2
    assert "vestige" not in rates[0]
    assert "lira-online-fixed" not in rates[1]
    assert "all candidates together" in rates[1]
    assert "judge a record by who else seems to be a member" in page


def test_images_are_compared_by_what_other_models_make_of_them(tmp_path):
    found = vestige.audit(
        "digit_images",
        attack=("loss", "vestige"),
        samples=200,
        model="convnet-2",
        out=tmp_path / "run",
        **SMALL,
    )
    assert "kernel on embeddings" in found.result.attacks[1].small_print
    scores = found.scores[found.scores.attack == "vestige"].score
    assert np.isfinite(scores).all()


def test_each_attack_that_takes_all_together_is_held_against_another_models_coins(digits):
    controls = {one.name: one for one in digits.result.controls}
    assert controls["foreign coins, vestige"].passed
    assert "foreign coins" in controls


def test_the_report_says_which_attack_judges_records_together(digits):
    attacker = digits.result.attacker
    assert "Of vestige alone: asks about all candidates" in attacker.knowledge
    assert any("judges each record by itself, but for vestige" in one for one in attacker.milder)


@pytest.mark.parametrize(
    ("models", "dataset", "model", "attack"),
    [(12, "digit_images", "convnet-2", "vestige"), (8, "digits", "mlp-16", "hierarchical")],
)
def test_they_may_be_the_headline(tmp_path, models, dataset, model, attack):
    found = vestige.audit(
        dataset, attack=attack, samples=160, model=model, models=models, epochs=2, checkpoints=2, jobs=1,
        out=tmp_path / "run",
    )  # fmt: skip
    assert found.result.headline.attack == attack
    assert (found.folder / "report.html").exists()
