"""The members that a reader can look at one by one."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, UInt8

from vestige.core import seeds
from vestige.explanations.attributed import Attributed, image_shape
from vestige.explanations.opened_run import Grid, OpenedRun
from vestige.explanations.who import TITLES
from vestige.explanations.why import Members
from vestige.report.explanation_page import Records
from vestige.report.pictures import as_bytes
from vestige.vulnerability.attention import normalized
from vestige.vulnerability.galleries import extremes
from vestige.vulnerability.traces import trace_iqr

NEIGHBORS = 5  # shown of each record
STRONGEST = 8  # features shown of a record of a table
GALLERY = 10  # records in each row of the galleries

Places = Int64[np.ndarray, "_"]


@dataclass(frozen=True, eq=False)
class Shown:
    """Which members are shown, as places among the target's members.

    all: [records], increasing. closest, farthest: those most and least typical of their classes.
    """

    all: Places
    closest: Places
    farthest: Places


def chosen(
    seen: Members,
    labels: Int64[np.ndarray, "members"],
    vulnerable: Bool[np.ndarray, "members"],
    ranking: Float64[np.ndarray, "members"],
    most: int,
) -> Shown:
    """Typical and untypical members, then the vulnerable ones by falling score, then others at random.

    ranking: higher = more exposed. most: how many in all, the galleries' own in any case.
    """
    distance = seen.outliers.values["centroid_distance"]
    ends = extremes(distance, labels, per_class=max(1, GALLERY // len(np.unique(labels))), most=GALLERY)
    first = np.concatenate([ends.closest, ends.farthest])
    exposed = np.flatnonzero(vulnerable)
    exposed = exposed[np.argsort(-ranking[exposed], kind="stable")][: most * 3 // 4]
    rest = seeds.generator(0, "portraits").permutation(len(vulnerable))
    order = np.concatenate([first, exposed, rest])
    _, places = np.unique(order, return_index=True)
    kept = order[np.sort(places)][: max(most, len(first))]
    return Shown(np.sort(kept), ends.closest, ends.farthest)


def records(
    run: OpenedRun,
    seen: Members,
    shown: Shown,
    vulnerable: Bool[np.ndarray, "members"],
    scores: dict[str, Grid],
    given_away: Float64[np.ndarray, "samples"],
    found: Attributed | None,
) -> Records:
    """Everything that is shown of these members.

    scores: by rule. given_away: the share of models that gave each sample away. found: None without
      attributions.
    """
    samples, data = seen.samples[shown.all], run.plan.dataset
    near = seen.outliers.neighbors
    pictured, rows = _pictured(samples, seen.samples[near.indices[shown.all, :NEIGHBORS]])
    wrong = run.prepared.mislabelled
    shape = image_shape(run)
    fpr, tpr = run.plane
    return Records(
        ids=data.ids[samples],
        labels=run.labels[samples],
        predicted=seen.predicted[shown.all],
        member=np.ones(len(samples), bool),
        vulnerable=vulnerable[shown.all],
        mislabelled=None if wrong is None else wrong[samples],
        measures=_measures(run, seen, shown, given_away, found),
        scores={TITLES[key]: values[seen.target, samples] for key, values in scores.items()},
        epochs=run.past.epochs,
        fpr=fpr[:, samples],
        tpr=tpr[:, samples],
        losses=run.trace("loss", seen.target)[:, samples],
        loss_epochs=run.past.epochs,
        neighbors=rows,
        neighbor_distances=near.distances[shown.all, :NEIGHBORS],
        pictured_ids=data.ids[pictured],
        pictured_labels=run.labels[pictured],
        pictures=None if shape is None else _pictures(run, pictured, shape),
        maps=_maps(shown, found) if shape is not None and found is not None else None,
        features=_features(run, shown, samples, found) if shape is None and found is not None else None,
    )


def _measures(
    run: OpenedRun,
    seen: Members,
    shown: Shown,
    given_away: Float64[np.ndarray, "samples"],
    found: Attributed | None,
) -> dict[str, Float[np.ndarray, "records"]]:
    samples = seen.samples[shown.all]
    own = {title: values[shown.all] for title, values in seen.measures.items()}
    trained = run.trace("loss", seen.target)[run.past.epochs > 0]
    spread = {"Loss range over training": trace_iqr(trained)[samples]} if len(trained) > 1 else {}
    looked = {}
    if found is not None:
        places = np.searchsorted(found.rows, shown.all)
        looked = {title: values[places] for title, values in found.measures.items()}
    return {"Share of models that give it away": given_away[samples], **own, **spread, **looked}


def _pictured(
    samples: Int64[np.ndarray, "records"], near: Int64[np.ndarray, "records neighbors"]
) -> tuple[Int64[np.ndarray, "pictured"], Int64[np.ndarray, "records neighbors"]]:
    """The samples whose pictures are needed, the records first, and where among them each neighbor stands."""
    others = np.setdiff1d(near, samples)
    pictured = np.concatenate([samples, others])
    order = np.argsort(pictured, kind="stable")
    return pictured, order[np.searchsorted(pictured, near, sorter=order)]


def _pictures(
    run: OpenedRun, samples: Int64[np.ndarray, "pictured"], shape: tuple[int, int, int]
) -> UInt8[np.ndarray, "pictured channels height width"]:
    inputs = run.plan.dataset.inputs
    return as_bytes(inputs.reshape(len(inputs), *shape), samples)


def _maps(shown: Shown, found: Attributed) -> Float64[np.ndarray, "records height width"]:
    return normalized(found.values[np.searchsorted(found.rows, shown.all)])


def _features(
    run: OpenedRun, shown: Shown, samples: Int64[np.ndarray, "records"], found: Attributed
) -> tuple[tuple[tuple[str, float, float], ...], ...]:
    """Of each record the features that its answer rests on the most: name, value and attribution."""
    values = run.material.inputs[samples].flatten(1).cpu().numpy()
    weights = found.values[np.searchsorted(found.rows, shown.all)]
    strongest = np.argsort(-np.abs(weights), axis=1, kind="stable")[:, :STRONGEST]
    return tuple(
        tuple((f"feature {f}", float(row[f]), float(weight[f])) for f in best)
        for row, weight, best in zip(values, weights, strongest, strict=True)
    )
