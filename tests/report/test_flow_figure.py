import dataclasses

import numpy as np

from vestige.report.flow_figure import STAGES, flow_figure, stages
from vestige.report.plotly_page import draw
from vestige.risk.plane import Plane
from vestige.risk.region import HIGH, SAFE


def plane(hits_in):
    hits = np.array(hits_in, np.int32)
    trials = np.full(hits.shape, 10, np.int32)
    epochs = np.arange(len(hits), dtype=float)
    return Plane(hits_in=hits, hits_out=0 * hits, n_in=trials, n_out=trials, epochs=epochs)


def test_the_table_counts_every_record_between_all_stages(arrays):
    figure = flow_figure(arrays.plane)
    chosen = stages(arrays.plane)
    assert len(chosen) == STAGES
    for start in arrays.plane.epochs[chosen[:-1]]:
        assert sum(row[4] for row in figure.table.rows if row[0] == start) == len(arrays.ids)
    regions, shown = arrays.plane.regions, arrays.plane.partition.shown
    for start, end, one, other, records in figure.table.rows:
        a, b = (int(np.flatnonzero(arrays.plane.epochs == e)[0]) for e in (start, end))
        slow = (regions[a] == shown.index(one)) & (regions[b] == shown.index(other))
        assert records == slow.sum()


def test_drawn_are_all_but_those_who_stay_in_the_fullest_region():
    figure = flow_figure(plane([[0, 0, 0, 0], [0, 0, 0, 9], [0, 0, 9, 9]]))
    flow = figure.marks[0]
    named = [(flow.stops[a].name, flow.stops[b].name, n) for a, b, n in flow.links]
    assert named == [("Low", "High", 1), ("Low", "High", 1), ("High", "High", 1)]
    assert flow.stages == ("epoch 0", "epoch 1", "epoch 2")
    assert [s.color for s in flow.stops if s.name == "High"] == ["High", "High"]
    assert "from epoch 0 to 1, 1 enter" in figure.alt
    assert "sankey" in draw(figure)
    places = {(s.column, s.name): s.place for s in flow.stops}
    assert places[1, "High"] < places[1, "Low"]  # the vulnerable stand on top


def test_stages_part_the_moves_evenly():
    late = np.zeros((9, 40), np.int32)
    late[7, :20] = 9
    late[8] = 9
    assert stages(plane(late)) == [0, 7, 8]


def test_nothing_is_drawn_where_nobody_moves():
    still = plane(np.zeros((3, 5), np.int32))
    assert flow_figure(still) is None
    assert np.all(still.regions == SAFE)
    assert flow_figure(dataclasses.replace(still, hits_in=still.hits_in + 9)) is None
    assert HIGH != SAFE
