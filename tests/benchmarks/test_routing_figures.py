from benchmarks.setting import Setting

from benchmarks import routing


def test_routing_is_held_against_the_plain_defense():
    found = routing.rows(Setting(rounds=1, scale="toy", jobs=1))
    assert [row.figure.split(",")[1] for row in found] == [" mlp-4-4-4 stacked", " convnet sequential"]
    assert all(row.against == routing.PLAIN and row.value.median > 0 for row in found)
    assert all(row.goal.floor == 1.3 and row.goal.smaller_is_better for row in found)
