import dataclasses
import json
import math
from dataclasses import dataclass

import pytest
import synthetic_audit

from vestige.core.errors import InputError
from vestige.risk.document import from_plain, to_plain
from vestige.risk.estimate import Estimate
from vestige.risk.result import from_json
from vestige.risk.sentences import (
    claim,
    detection,
    interval,
    natural_frequency,
    since_when,
    smallest_visible,
    terminal_lines,
)
from vestige.risk.verdict import parse_policy
from vestige.risk.weighing import weigh


@pytest.fixture(scope="module")
def material():
    return synthetic_audit.material()


@pytest.fixture(scope="module")
def result(material):
    return synthetic_audit.audit(material, parse_policy("tpr@0.01<=0.02", "the owner", "agreed"))


def test_json_comes_back_as_the_same_result(result):
    assert from_json(result.to_json()) == result
    assert from_json(from_json(result.to_json()).to_json()) == result


def test_json_holds_no_nan_and_says_its_version(result):
    broken = dataclasses.replace(
        result, claim=dataclasses.replace(result.claim, estimate=Estimate(value=math.nan))
    )
    text = broken.to_json()
    document = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert document["schema_version"] == 2
    assert document["claim"]["estimate"]["value"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("attacks"), "attacks"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d.update(schema_version=99), "schema_version=99"),
        (
            lambda d: d["identity"].update(samples="many"),
            "result.identity.samples='many' must be of type int",
        ),
        (lambda d: d["identity"].update(samples=True), "must be of type int"),
        (lambda d: d.update(warnings="one"), "must be a list"),
        (lambda d: d["attacks"][0].update(auc=3), "must be an object"),
        (lambda d: d.update(attacks=[]), "at least one attack"),
    ],
)
def test_a_damaged_document_names_the_place(result, change, message):
    document = json.loads(result.to_json())
    change(document)
    with pytest.raises(InputError, match=message):
        from_json(json.dumps(document))


def test_a_cut_document_is_one_clear_line(result):
    with pytest.raises(InputError, match="cut short"):
        from_json(result.to_json()[:500])


@dataclass(frozen=True)
class Small:
    always: float
    maybe: float | None
    rows: tuple[str, ...]


def test_null_stands_for_a_number_that_is_not_finite():
    assert to_plain(Small(math.inf, math.nan, ("a",))) == {"always": None, "maybe": None, "rows": ["a"]}
    back = from_plain(Small, {"always": None, "maybe": None, "rows": ["a"]})
    assert math.isnan(back.always)
    assert back.maybe is None


def test_the_claim_stands_at_the_lowest_supported_rate(result):
    assert result.claim.metric == "tpr@0.001"
    assert result.claim.estimate == result.headline.at(0.001).tpr
    for part in ("lira-online-fixed named", "of members", "0.1 % of non-members", "95 % interval", "19,200"):
        assert part in result.claim.sentence


def test_without_a_supported_rate_the_claim_is_about_ranks(material):
    small = synthetic_audit.audit(synthetic_audit.material(targets=2, samples=60)).headline
    assert small.lowest_supported is None
    found = claim(small, "an outsider", "today")
    assert found.metric == "auc"
    assert "chance is 50 %" in found.sentence


def test_detection_sentences():
    above = Estimate(value=0.7, low=0.65, high=0.75)
    assert detection(above, 0.5) == "Above chance: interval 0.650 to 0.750 lies wholly over the chance line."
    around = Estimate(value=0.51, low=0.48, high=0.54)
    assert detection(around, 0.5).startswith(
        "Not distinguishable from chance. An effect of at least 0.543 would"
    )
    assert smallest_visible(around, 0.5) == pytest.approx(0.5 + (1.96 + 0.8416) * 0.06 / 3.92, abs=1e-4)
    assert "sign" in detection(Estimate(value=0.4, low=0.35, high=0.45), 0.5)
    assert detection(Estimate(value=None, note="Too few."), 0.5) == "Too few."
    assert interval(Estimate(value=None, note="Too few.")) == "Too few."


def test_natural_frequency_counts_people(result):
    rate = dataclasses.replace(result.headline.at(0.001), tpr=Estimate(value=0.05, low=0.04, high=0.06))
    assert natural_frequency(rate) == (
        "If 1 in 100 candidates is a member, of 100 people named at an error rate of 0.1 % about 34 are "
        "members."
    )


def test_five_lines_for_a_person(result):
    exposed, sure, records, since, where = terminal_lines(result)
    assert exposed.startswith("How exposed: lira-online-fixed named")
    assert "16 independent targets" in sure
    assert "policy: exceeds" in sure
    assert records.count(",") == 9
    assert "half were there to stay by epoch" in since
    assert where == "Report: vestige-runs/location30/report.html"


def test_a_failed_control_silences_the_first_line(material):
    broken = synthetic_audit.audit(material, broken=True)
    assert broken.exit_code == 3
    assert terminal_lines(broken)[0] == "How exposed: not judged, because a validity control failed."
    assert "failed: blind baseline; verdict withheld" in terminal_lines(broken)[1]
    assert weigh(broken).against == ()


def test_since_when_without_exposed_records(result):
    none = dataclasses.replace(result.exposure, high=0, half_by_epoch=None)
    assert "none of the 1,200 records" in since_when(none)
    assert "not tested" in since_when(None)


def test_lists_weigh_what_was_found(result, material):
    lists = weigh(result)
    assert any("policy" in row for row in lists.against)
    assert any("30 points" in row for row in lists.against)
    assert any("not tested" in row for row in lists.unknown)
    calm = synthetic_audit.audit(synthetic_audit.material(leak=0.0), parse_policy("auc<=0.6"))
    assert any("is kept" in row for row in weigh(calm).favor)
    assert any("not distinguishable from chance" in row for row in weigh(calm).favor)


def test_no_attack_is_no_result(result):
    with pytest.raises(InputError, match="at least one attack"):
        dataclasses.replace(result, attacks=())


def test_every_family_is_listed_once_and_tested_ones_name_their_attacks(result):
    families = [row.family for row in result.coverage]
    assert len(families) == len(set(families))
    assert {row.detail for row in result.coverage if row.tested} >= {"loss", "9 checkpoints"}
    assert all(row.detail for row in result.coverage)
