"""Words for regions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestige.core.errors import InputError
from vestige.models.protected import candidates, protected, written
from vestige.models.regions import Region

NAMES = ("stem", "stage1", "stage2", "stage3", "head")
REGIONS = tuple(Region(name, (f"{name}.weight",)) for name in NAMES)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["all"], NAMES),
        (["none"], ()),
        (["front"], NAMES[:2]),
        (["back"], NAMES[3:]),
        (["head"], ("head",)),
        (["head", "stem"], ("stem", "head")),
        (["stage1..stage3"], NAMES[1:4]),
        (["stage2.."], NAMES[2:]),
        (["..stage1"], NAMES[:2]),
        (["stem", "front", "none"], NAMES[:2]),
    ],
)
def test_words_mean_regions_in_the_order_of_the_network(words, expected):
    assert tuple(region.name for region in protected(REGIONS, words)) == expected


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("haed", "did you mean head"),
        ("stage1..haed", "did you mean head"),
        ("head..stem", "stem comes before"),
    ],
)
def test_words_that_mean_nothing_are_refused(word, message):
    with pytest.raises(InputError, match=message):
        protected(REGIONS, [word])


@pytest.mark.parametrize("word", ["layer1", "back", "layer1.."])
def test_one_region_cannot_be_told_apart(word):
    with pytest.raises(InputError, match="one region only, layer1"):
        protected((Region("layer1", ("weight",)),), [word])
    assert len(protected((Region("layer1", ("weight",)),), ["all"])) == 1


def test_candidates_are_every_proper_suffix_and_prefix():
    found = candidates(REGIONS)
    assert len(found) == len(set(found)) == 2 * (len(NAMES) - 1)
    assert found[:2] == (("head",), ("stage3", "head"))
    assert all(each in (NAMES[-len(each) :], NAMES[: len(each)]) for each in found)
    assert candidates(REGIONS[:1]) == ()


@given(st.sets(st.sampled_from(NAMES)))
def test_what_is_written_is_read_back(chosen):
    names = [name for name in NAMES if name in chosen]
    found = protected(REGIONS, written(NAMES, names).split(":"))
    assert [region.name for region in found] == names
