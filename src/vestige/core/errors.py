"""The error tree.

VestigeError            anything Vestige raises on purpose
├── InputError          the caller's value is wrong; also a ValueError; exit status 2
├── RunFolderError      a run folder cannot be used as asked; exit status 2
└── ValidityError       a control failed, so no figure may be trusted; exit status 3
"""

import difflib
from collections.abc import Iterable


class VestigeError(Exception):
    """Anything that Vestige raises on purpose."""


class InputError(VestigeError, ValueError):
    """A value that the caller gave is wrong; the message names it and the remedy."""


class RunFolderError(VestigeError):
    """A run folder cannot be read or written as asked."""


class ValidityError(VestigeError):
    """A validity control failed, so the figures may not be trusted."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> InputError:
    """An error for a misspelt name that suggests its neighbors."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names)}"
    return InputError(f"{kind}={name!r} is not known; {hint}")
