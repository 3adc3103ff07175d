"""The run folder: who may write there, and one writer at a time."""

import fcntl
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from vestige.core.errors import RunFolderError

MANIFEST = "manifest.json"


@contextmanager
def claimed(folder: Path) -> Generator[Path]:
    """The run folder, made if absent, locked against a second writer while in use.

    Raises RunFolderError if it cannot be written, belongs to somebody else or is in use. What it holds
    is not touched in any of these cases.
    """
    _refuse_foreign(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / "run.lock").open("a")
    except OSError as error:
        raise RunFolderError(
            f"out={folder} cannot be written ({error.strerror}); choose another --out"
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunFolderError(
                f"out={folder} is in use by another process; wait or choose another --out"
            ) from error
        yield folder


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise RunFolderError(f"out={folder} is a file, not a folder; choose another --out")
    names = {path.name for path in folder.iterdir()} - {"run.lock"}
    if names and not _is_ours(folder, names):
        raise RunFolderError(
            f"out={folder} holds files that no audit wrote ({min(names)}); choose an empty or new folder"
        )


def _is_ours(folder: Path, names: set[str]) -> bool:
    """A run writes its manifest first of all; where that file is damaged, the signals still tell."""
    try:
        return json.loads((folder / MANIFEST).read_text())["tool"] == "vestige"
    except (OSError, ValueError, KeyError, TypeError):
        return "signals" in names
