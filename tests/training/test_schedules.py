import pytest

from vestige.core.errors import InputError
from vestige.training.schedules import Steps, by_name


def test_steps_fall_by_a_tenth_at_each_milestone():
    factors = [by_name("steps")(epoch, 35) for epoch in range(35)]
    assert factors == pytest.approx([1.0] * 20 + [0.1] * 10 + [0.01] * 5)


@pytest.mark.parametrize("epochs", [3, 4, 7])
def test_a_shorter_training_has_the_whole_schedule(epochs):
    factors = [Steps()(epoch, epochs) for epoch in range(epochs)]
    assert factors[0] == 1.0
    assert factors[-1] == pytest.approx(0.01)


@pytest.mark.parametrize(("options", "message"), [({"milestones": (1.5,)}, "1.5"), ({"factor": 0.0}, "0.0")])
def test_bad_steps_are_named(options, message):
    with pytest.raises(InputError, match=message):
        Steps(**options)
