from benchmarks.setting import Setting

from benchmarks import defenses


def test_the_cost_of_every_defense_is_measured():
    found = defenses.rows(Setting(rounds=1, scale="toy", jobs=1))
    judged, others = defenses.JUDGED[1:], [text for text in defenses.OTHERS if not text.startswith("dp_sgd")]
    expected = {
        (f"{text} {engine}", f"none {engine}") for text in (*judged, *others) for engine in defenses.ENGINES
    }
    expected |= {(f"{text} sequential", f"{text} stacked") for text in ("none", *judged, *others)}
    expected |= {("dp_sgd:noise=1/delta=1e-5 private", "none stacked")}
    assert {(row.ours.partition(": ")[0], row.against) for row in found} == expected
    assert all(row.value.median > 0 for row in found)
