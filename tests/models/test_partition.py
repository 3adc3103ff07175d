"""Regions of the user's own, as a mapping and as a file."""

import pytest

from vestige.core.errors import InputError
from vestige.models.partition import partition_of


def test_a_file_and_a_mapping_give_the_same(tmp_path):
    path = tmp_path / "regions.toml"
    path.write_text('body = ["1", "3"]\n"the head" = "5"\n')
    expected = (("body", ("1", "3")), ("the head", ("5",)))
    assert partition_of(path) == partition_of(str(path)) == expected
    assert partition_of({"body": ["1", "3"], "the head": "5"}) == expected
    assert partition_of(None) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read .No such file"),
        ("body = [", "is not TOML"),
        ("", "names no region"),
        ("[body]\nlayers = ['1']", "body=.*must be a list of modules"),
        ("body = 1", "body=1 must be a list"),
        ("body = []", "must name modules or parameters, at least one"),
        ("body = [1]", "must name modules"),
        ("body = ''", "must name modules"),
    ],
)
def test_what_is_no_regions_is_refused_by_the_name_of_the_file(text, message, tmp_path):
    path = tmp_path / "regions.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=rf"regions=.*regions\.toml.*{message}"):
        partition_of(path)


def test_another_file_or_nothing_is_refused():
    with pytest.raises(InputError, match=r"must be a \.toml file"):
        partition_of("regions.json")
    with pytest.raises(InputError, match="regions names no region"):
        partition_of({})
