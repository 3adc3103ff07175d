"""A page of an explanation from made-up arrays: outliers that a calibrated attack names, easy records that
one threshold names."""

import dataclasses
from functools import cache

import numpy as np

from vestige.data.membership import paired
from vestige.report.explanation_page import (
    Attributions,
    Difference,
    ExplanationPage,
    Logits,
    Plot2D,
    Ranking,
    Records,
    Rule,
)
from vestige.risk.estimate import Estimate
from vestige.vulnerability.contrast import contrast
from vestige.vulnerability.disparity import disparity
from vestige.vulnerability.mislabelled import label_check
from vestige.vulnerability.outlierness import percentile
from vestige.vulnerability.precision import precision_at_top
from vestige.vulnerability.stability import stability
from vestige.vulnerability.vulnerable import attack_set, global_set

MODELS, SAMPLES, CLASSES, TARGET, RECORDS, OTHERS, CHECKPOINTS = 8, 600, 4, 1, 60, 40, 5
FPR = 0.05
NAMES = ("plane", "car", "bird", "cat")
EPOCHS = np.array([0.0, 1.0, 2.0, 5.0, 10.0])


@cache
def image_page():
    return _page(images=True)


@cache
def table_page():
    return _page(images=False)


def changed(page, **changes):
    return dataclasses.replace(page, **changes)


def _page(*, images):
    rng = np.random.default_rng(0)
    membership = paired(MODELS, SAMPLES, seed=3)
    inside, labels = membership.mask, rng.integers(0, CLASSES, SAMPLES)
    odd = rng.random(SAMPLES) < 0.1  # far from their class, and remembered
    wrong = odd & (rng.random(SAMPLES) < 0.5)
    easy = rng.normal(4, 1, SAMPLES) - 5 * odd
    logits = easy + 0.2 * rng.normal(size=inside.shape) + 5 * (inside & odd)
    scores = logits - easy
    sets = {
        "reference": attack_set(scores, membership, FPR),
        "lira": attack_set(scores + 0.1 * rng.normal(size=scores.shape), membership, FPR),
        "global": global_set(logits, membership, FPR),
    }
    titles = {"reference": "Above its references", "lira": "LiRA", "global": "One threshold for all"}
    rules = tuple(
        Rule(
            key=key,
            title=titles[key],
            sets=found,
            stability=stability(found, scores),
            mislabelled=Estimate(value=float(wrong[found.sets[TARGET]].mean()), low=0.1, high=0.9),
            mislabelled_base=float(wrong.mean()),
        )
        for key, found in sets.items()
    )
    measures = {
        "Distance to its class": odd * 2.0 + rng.gamma(3, 0.3, SAMPLES),
        "Out-of-fold loss": np.exp(-easy) + 0.1 * rng.random(SAMPLES),
        "Near-duplicate": rng.random(SAMPLES),
    }
    away = sets["reference"].vulnerability
    return ExplanationPage(
        title="Why these records of made-up",
        dataset="made-up",
        model="mlp",
        models=MODELS,
        samples=SAMPLES,
        target=TARGET,
        members=int(inside[TARGET].sum()),
        headline="reference",
        fpr=FPR,
        rules=rules,
        differences=tuple(_difference(titles[key], found, measures) for key, found in sets.items()),
        by_class=disparity(away, labels, NAMES, permutations=200),
        by_group=disparity(away, np.where(odd, "far", "near"), permutations=200),
        group_title="Distance groups",
        label_check=label_check(measures["Distance to its class"], wrong),
        rankings=(_ranking("Loss range", measures["Out-of-fold loss"], sets["lira"]),),
        logits=_logits(),
        plot=_plot(rng, labels, sets["reference"].sets[TARGET], inside[TARGET]),
        attributions=Attributions(
            method="Grad-CAM of conv3" if images else "Integrated Gradients",
            contrasts=contrast({"Entropy": rng.random(SAMPLES)}, odd, permutations=200) if images else (),
            closest=np.arange(6),
            farthest=np.arange(RECORDS - 6, RECORDS),
        ),
        records=_records(rng, labels, odd, wrong, sets["reference"].sets[TARGET], measures, scores, images),
        class_names=NAMES,
        defense=("Reweighted outputs name fewer.", "$ vestige audit digits --defense logit-reweighting"),
        notes=("A note to the reader.",),
        command="vestige explain runs/made-up",
        python_call='vestige.explain("runs/made-up")',
        report_link="../report.html",
    )


def _difference(title, found, measures):
    named, among = found.sets[TARGET], found.member[TARGET]
    places = {
        name: float(percentile(values[among])[named[among]].mean()) for name, values in measures.items()
    }
    return Difference(
        rule=title,
        targets=3,
        contrasts=contrast(measures, named, among=among, permutations=200),
        percentiles=tuple(
            (name, Estimate(value=place, low=max(0.0, place - 0.05), high=min(1.0, place + 0.05)))
            for name, place in places.items()
        ),
    )


def _ranking(title, values, lira):
    top = precision_at_top(values, lira.sets[TARGET], among=lira.member[TARGET])
    return Ranking(title=title, cost="one training run", top=top)


def _logits():
    edges = np.linspace(-6, 10, 41)
    middles = (edges[:-1] + edges[1:]) / 2
    shares = [np.exp(-((middles - mean) ** 2) / 4) for mean in (*np.linspace(0, 5, 5), *np.linspace(0, 4, 5))]
    normal = np.stack([share / share.sum() for share in shares])
    return Logits(
        epochs=EPOCHS,
        edges=edges,
        members=normal[:5],
        nonmembers=normal[5:],
        auc=np.linspace(0.5, 0.6, 5),
        advantage=np.linspace(0, 0.2, 5),
    )


def _plot(rng, labels, vulnerable, members):
    kept = np.flatnonzero(members)
    centers = np.array([[0, 0], [30, 0], [0, 30], [30, 30]], np.float64)
    return Plot2D(
        points=centers[labels[kept]] + rng.normal(0, 5, (len(kept), 2)),
        labels=labels[kept],
        vulnerable=vulnerable[kept],
        ids=kept,
        perplexity=30.0,
        neighbors_kept=0.62,
    )


def _records(rng, labels, odd, wrong, vulnerable, measures, scores, images):
    chosen = np.sort(rng.permutation(SAMPLES)[:RECORDS])
    further = np.setdiff1d(np.arange(SAMPLES), chosen)[:OTHERS]
    pictured = np.concatenate([chosen, further])
    grown = EPOCHS[:, None] / EPOCHS[-1]
    shown = {title: values[chosen].copy() for title, values in measures.items()}
    shown["Near-duplicate"][::7] = np.nan
    return Records(
        ids=chosen,
        labels=labels[chosen],
        predicted=np.where(rng.random(RECORDS) < 0.1, (labels[chosen] + 1) % CLASSES, labels[chosen]),
        member=np.ones(RECORDS, bool),
        vulnerable=vulnerable[chosen],
        mislabelled=wrong[chosen],
        measures=shown,
        scores={"LiRA": scores[TARGET, chosen]},
        epochs=EPOCHS,
        fpr=0.2 * grown * rng.random(RECORDS),
        tpr=grown * np.where(odd[chosen], 0.9, 0.3),
        losses=2.0 * np.exp(-4 * grown * rng.gamma(2, 1, RECORDS)),
        loss_epochs=EPOCHS,
        neighbors=rng.integers(0, RECORDS + OTHERS, (RECORDS, 5)),
        neighbor_distances=np.sort(rng.gamma(3, 1, (RECORDS, 5)), axis=1),
        pictured_ids=pictured,
        pictured_labels=labels[pictured],
        pictures=_pictures(rng, labels[pictured]) if images else None,
        maps=rng.random((RECORDS, 4, 4)) if images else None,
        features=None if images else tuple(_features(rng) for _ in range(RECORDS)),
    )


def _pictures(rng, labels):
    """Tilted waves, one direction per class."""
    down, across = np.mgrid[:32, :32] / 32
    turned = labels[:, None, None] * np.pi / CLASSES
    wave = np.sin(
        20 * (np.cos(turned) * down + np.sin(turned) * across) + 6 * rng.random((len(labels), 1, 1))
    )
    tints = 0.4 + 0.6 * rng.random((len(labels), 3, 1, 1))
    return (127 + 120 * tints * wave[:, None]).astype(np.uint8)


def _features(rng):
    chosen = sorted(rng.choice(30, 5, replace=False), key=lambda place: (place * 7) % 11)
    return tuple((f"feature {place}", float(rng.integers(0, 2)), float(rng.normal())) for place in chosen)
