import pytest

from vestige.core.errors import ValidityError
from vestige.report.words import checked, scan


@pytest.mark.parametrize(
    "phrase",
    [
        "The data are anonymous.",
        "anonymised",
        "fully compliant",
        "GDPR-safe",
        "certified",
        "we guarantee",
        "this proves",
        "There is no leakage.",
        "zero risk",
        "no\n risk",
        "the probability that Anna was a member is 97 %",
        "a privacy  budget of 3",
        "overfitting causes it",
    ],
)
def test_promises_are_found_in_text_and_markup(phrase):
    assert scan(phrase)
    assert scan(f"<p>{phrase}</p>")
    assert scan(f'<img alt="{phrase}">')
    with pytest.raises(ValidityError, match="no audit can carry"):
        checked(phrase)


def test_markup_cannot_hide_a_word():
    assert scan("<b>certi</b>fied is two words, <b>certified</b> is not") == ["certified"]
    assert scan("zero&nbsp;risk") == ["zero risk"]


def test_other_words_pass():
    assert scan("It failed because members differ. A low risk, an improved causal-free curve.") == []


def test_scripts_styles_and_data_are_not_read():
    assert scan("<script>var guarantee = 1</script><style>.certified{}</style>") == []
    assert scan('<a href="data:text/csv;base64,guarantee">x</a>') == []


def test_the_users_own_words_are_not_judged():
    assert scan("Data: certified.csv", given=("certified.csv",)) == []
    assert scan("Data: certified.csv, and certified", given=("certified.csv",)) == ["certified"]
