"""Regions of the user's own as they are given: a mapping, or a TOML file that holds one."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from vestige.core.errors import InputError

Partition = tuple[tuple[str, tuple[str, ...]], ...]


def partition_of(given: Mapping[str, str | Sequence[str]] | str | Path | None) -> Partition:
    """The regions, (name, modules or parameters) each; () for None.

    given: a mapping, or a TOML file of lines such as head = ["fc", "norm"]; a single name stands for itself.
    Raises InputError for a file that cannot be read, and for anything but names.
    """
    if given is None:
        return ()
    source = f"regions={given}" if isinstance(given, str | Path) else "regions"
    content = _read(Path(given), source) if isinstance(given, str | Path) else given
    if not content:
        raise InputError(f'{source} names no region; give each a line such as head = ["fc"]')
    return tuple((name, _names(source, name, parts)) for name, parts in content.items())


def _read(path: Path, source: str) -> Mapping[str, Any]:
    if path.suffix != ".toml":
        raise InputError(f'{source} must be a .toml file of regions, with lines such as head = ["fc"]')
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{source} cannot be read ({error.strerror}); give an existing TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{source} is not TOML: {error}") from error


def _names(source: str, region: str, parts: Any) -> tuple[str, ...]:
    listed = [parts] if isinstance(parts, str) else parts
    if not isinstance(listed, list | tuple):
        raise InputError(f"{source}: {region}={parts!r} must be a list of modules or parameters by name")
    names = cast("Sequence[Any]", listed)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise InputError(f"{source}: {region}={parts!r} must name modules or parameters, at least one")
    return tuple(names)
