from benchmarks.setting import Setting

from benchmarks import joint


def test_the_attack_is_held_against_training_and_its_growth_is_told():
    found = joint.rows(Setting(rounds=1, scale="toy", jobs=1))
    assert [bool(row.against) for row in found] == [True, True, False, False]
    assert all(row.value.median > 0 for row in found)
