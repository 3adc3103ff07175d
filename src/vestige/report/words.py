"""Words that a report may never use, because no audit can carry them."""

import re
from html import unescape

from vestige.core.errors import ValidityError

# Each promises more, or something else, than a test against known attacks can show.
FORBIDDEN = (
    r"anonym(ous|ity|i[sz]ed)",
    r"complian(t|ce)",
    r"gdpr[- ]?safe",
    r"certif(y|ied|ies|ication)",
    r"guarantee[sd]?",
    r"prove[sn]?",
    r"no leakage",
    r"(zero|no) risk",
    r"probability that\b[^.]{0,80}\bwas a member",
    r"privacy budget",
    r"caus(e|es|ed|ing)",
)
_PATTERN = re.compile(r"\b(?:" + "|".join(FORBIDDEN) + r")\b", re.IGNORECASE)
_UNREAD = re.compile(r"<(script|style)\b.*?</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*\b(?:alt|title|aria-label)=\"([^\"]*)\"[^>]*>|<[^>]+>")


def scan(text: str, given: tuple[str, ...] = ()) -> list[str]:
    """The forbidden words in text or HTML, in order, lower case.

    given: the user's own words, such as names of files and classes, which are not the report's claims.
    """
    read = unescape(_TAG.sub(lambda tag: f" {tag.group(1) or ''} ", _UNREAD.sub(" ", text)))
    for words in sorted(filter(None, given), key=len, reverse=True):
        read = read.replace(words, " ")
    return [" ".join(match.group(0).lower().split()) for match in _PATTERN.finditer(" ".join(read.split()))]


def checked(text: str, given: tuple[str, ...] = ()) -> str:
    """The text, if it holds no forbidden word.

    Raises ValidityError with the words otherwise.
    """
    found = scan(text, given)
    if found:
        raise ValidityError(f"the report would say {', '.join(sorted(set(found)))}, which no audit can carry")
    return text
