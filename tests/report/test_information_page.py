"""Section 8: what it says with and without findings, and the words that it keeps from."""

import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console

from vestige.report.information import InformationPage, information
from vestige.report.information_figures import MOST_DOTS, SURELY_DRAWN, exposure_figure
from vestige.report.information_terminal import bracket_summary
from vestige.report.page import html
from vestige.report.words import scan
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.information import (
    LIMIT,
    Agreement,
    Amount,
    AttackBound,
    Bracket,
    Check,
    CheckpointAmount,
    Consistency,
    Information,
)

NAMES = {"kl": "KL divergence", "mutual_information": "Mutual information", "advantage": "Advantage"}


def between(value):
    return Estimate(value=value, low=value * 0.9, high=value * 1.1)


def bracket(name, checks=(), upper=None):
    return Bracket(
        name=name,
        title=NAMES[name],
        unit="" if name == "advantage" else "nats",
        lower=Estimate(value=0.05),
        estimates=(between(0.2), unsupported("Not estimated.")),
        upper=upper or unsupported("Nothing bounds it from above: no noise."),
        checks=checks,
    )


def findings(checkpoints=5, checks=(), upper=None):
    amount = Amount(
        name="kl", title="KL divergence, normal laws", unit="nats", definition="Two normal laws per record.",
        mean=between(0.2), median=0.1, q90=0.4, q99=1.5, largest=9.0, by_chance=0.001,
    )  # fmt: skip
    rows = range(checkpoints)
    return Information(
        records=600, models=32, clusters=16, models_in=16, models_out=16, headline="lira-online-fixed",
        randomness="Random are the seeds.", source_of_upper="nothing", estimators=("normal laws", "others"),
        amounts=(amount,),
        attack_bounds=(AttackBound(attack="loss", **{n: between(0.05) for n in (*NAMES, "kl_reverse")}),),
        brackets=tuple(bracket(name, checks, upper) for name in NAMES),
        agreements=(Agreement(attack="loss", outcome="TPR − FPR", rank_correlation=between(0.5)),),
        consistency=(Consistency(fpr=0.01, measured=between(0.06), expected=0.05, limit=0.2),),
        by_checkpoint=tuple(
            CheckpointAmount(epoch=float(i), mean=between(0.04 * i), q99=between(0.3 * i)) for i in rows
        ),
        notes=("A note of the estimator.",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def kl():
    return np.random.default_rng(0).gamma(0.3, 1.0, 600)


def test_the_section_says_estimator_direction_and_interval(arrays, kl):
    page = information(InformationPage(found=findings(), kl=kl), arrays.plane)
    assert scan(page) == []
    for words in (
        "mean KL divergence of 0.2 nats (0.289 bits) per record (95\u00a0% interval 0.18 to 0.22 nats)",
        "that number tells at most what the model tells. Attacks show at least 0.05 nats",
        "Nothing bounds it from above",
        "A note of the estimator.",
    ):
        assert words in page
    assert 'id="figure-information-checkpoints"' in page
    assert "ends at 1.2" in page
    for cell in ("0.2 <wbr>(0.18 to 0.22)", "no limit", ">yes<"):
        assert cell in page


def test_history_needs_more_than_two_checkpoints(arrays, kl):
    page = information(InformationPage(found=findings(checkpoints=2), kl=kl), arrays.plane)
    assert "figure-information-checkpoints" not in page
    assert "figure-information-exposure" in page
    assert "figure-information-exposure" not in information(InformationPage(found=findings(), kl=kl), None)


def test_a_failed_inequality_is_told_with_its_size(arrays, kl):
    failed = Check(left="normal laws", right=LIMIT, excess=0.123, word="fails")
    page = information(
        InformationPage(found=findings(checks=(failed,), upper=Estimate(value=0.077)), kl=kl), arrays.plane
    )
    assert "normal laws should not exceed the limit from above, but does by 0.123 nats" in page
    assert "A limit was broken" in page
    assert "It is at most 0.077 nats" in page
    unsure = dataclasses.replace(failed, word="within error")
    page = information(InformationPage(found=findings(checks=(unsure,)), kl=kl), arrays.plane)
    assert "within error" in page
    assert "but does by" not in page


def test_without_findings_there_is_a_sentence(arrays):
    missing = "Not estimated: a record has only 4 models on one side."
    assert missing in information(InformationPage(found=None, missing=missing), arrays.plane)
    assert "Not tested in this audit." in information(None, arrays.plane)


def test_the_whole_page_holds_the_section_in_order(material, arrays, make_audit, kl):
    page = html(make_audit(material), arrays, InformationPage(found=findings(), kl=kl))
    places = [page.index(f'id="section-{n}"') for n in range(1, 12)]
    assert places == sorted(places)
    assert places[6] < page.index("How much information") < places[8]


def test_of_many_records_the_largest_are_surely_drawn(arrays):
    plane = arrays.plane
    fields = ("hits_in", "hits_out", "n_in", "n_out")
    many = dataclasses.replace(plane, **{name: np.tile(getattr(plane, name), (1, 8)) for name in fields})
    kl = np.random.default_rng(1).gamma(0.3, 1.0, 4800)
    kl[5] = np.nan
    drawn = exposure_figure(kl, many, "loss")
    values = np.array([row[1] for row in drawn.table.rows])
    assert len(values) == MOST_DOTS == sum(len(mark.x) for mark in drawn.marks)
    assert np.isin(np.sort(kl[np.isfinite(kl)])[-SURELY_DRAWN:], values).all()
    assert f"{MOST_DOTS:,} records" in drawn.caption


@pytest.mark.parametrize(("bits", "shown"), [(False, "0.2 (0.18 to 0.22)"), (True, "0.289 (0.26 to 0.317)")])
def test_the_terminal_shows_nats_or_bits(bits, shown):
    console = Console(width=160, file=io.StringIO())
    console.print(bracket_summary(findings(), bits))
    lines = console.file.getvalue().splitlines()
    assert shown in lines[1]
    assert ("bits" if bits else "nats") in lines[1]
    assert "0.2 (0.18 to 0.22)" in next(line for line in lines if line.startswith("Advantage"))
    assert scan("\n".join(lines)) == []
