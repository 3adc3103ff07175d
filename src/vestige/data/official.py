"""Official files of benchmark data sets: where they lie, whether they are whole, where to get them."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import hashlib
import os
import shutil
import tarfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pooch

from vestige.core.errors import InputError
from vestige.core.files import replacing


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of a data set.

    name: the file's official name.
    folders: where it is looked for below the data folder; a download goes into the first.
    size: in bytes, where it is published or follows from the format.
    checksum, gz_checksum: "md5:..." or "sha256:..." of the plain and of the gzip-compressed file.
    """

    name: str
    folders: tuple[str, ...]
    size: int | None = None
    checksum: str | None = None
    gz_checksum: str | None = None

    def find(self, root: Path) -> Path | None:
        """The file, plain or as .gz, where it is present."""
        copies = (root / folder / f"{self.name}{end}" for folder in self.folders for end in ("", ".gz"))
        return next((path for path in copies if path.is_file()), None)


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A tar file that holds all parts, in whatever folders; `extras` are further files worth keeping."""

    url: str
    checksum: str | None = None
    extras: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Gzip:
    """Parts that are published one by one as `url`/name.gz."""

    url: str


def data_folder(data_dir: Path | None) -> Path:
    """The folder given, else $VESTIGE_DATA, else this user's cache.

    Raises InputError when a folder was named and is not there.
    """
    named = data_dir if data_dir is not None else os.environ.get("VESTIGE_DATA")
    if not named:
        return Path(pooch.os_cache("vestige"))
    folder = Path(named).expanduser()
    if not folder.is_dir():
        origin = "--data-dir" if data_dir is not None else "VESTIGE_DATA"
        raise InputError(f"data folder {folder} (from {origin}) does not exist; create it or name another")
    return folder


def obtain(name: str, parts: tuple[Part, ...], origin: Archive | Gzip, root: Path) -> list[Path]:
    """The verified files of a data set, in the order of its parts; missing ones are downloaded.

    Raises InputError for a file that differs from the published one, and for a missing file that cannot
    be downloaded; the message says where it was expected and where it is published.
    """
    found: list[Path] = []
    for part in parts:
        path = part.find(root)
        if path is None:
            _fetch(name, parts, part, origin, root)
            path = part.find(root)
        if path is None:
            raise _missing(name, part, origin, root, "the download did not contain it")
        verify(path, part)
        found.append(path)
    return found


def verify(path: Path, part: Part) -> None:
    """Nothing, if the file has the published size and checksum.

    Raises InputError that names the file, what was expected and what was found.
    """
    compressed = path.suffix == ".gz"
    state = path.stat()
    if part.size is not None and not compressed and state.st_size != part.size:
        raise _damaged(path, f"{part.size:,} bytes", f"{state.st_size:,}")
    expected = part.gz_checksum if compressed else part.checksum
    if expected is None:
        return
    method = expected.partition(":")[0]
    found = f"{method}:{_checksum(path, method, state.st_size, state.st_mtime_ns)}"
    if found != expected:
        raise _damaged(path, expected, found)


@lru_cache(maxsize=64)
def _checksum(path: Path, method: str, _size: int, _changed: int) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, method).hexdigest()


def _damaged(path: Path, expected: str, found: str) -> InputError:
    return InputError(
        f"{path} is not the official file, or is damaged: expected {expected}, found {found}; "
        "delete it to download it again"
    )


def _missing(name: str, part: Part, origin: Archive | Gzip, root: Path, why: str) -> InputError:
    return InputError(
        f"{name}: {root / part.folders[0] / part.name} is missing ({why}); put the official file there from "
        f"{_address(part, origin)}, or name the folder that holds your copy with --data-dir or VESTIGE_DATA"
    )


def _address(part: Part, origin: Archive | Gzip) -> str:
    return origin.url if isinstance(origin, Archive) else f"{origin.url}/{part.name}.gz"


def _fetch(name: str, parts: tuple[Part, ...], part: Part, origin: Archive | Gzip, root: Path) -> None:
    """Download one part, or the archive of all of them."""
    url = _address(part, origin)
    known = origin.checksum if isinstance(origin, Archive) else part.gz_checksum
    folder = root if isinstance(origin, Archive) else root / part.folders[0]
    path = folder / url.rpartition("/")[2]
    try:
        pooch.retrieve(url, known, fname=path.name, path=folder, progressbar=True)
        if isinstance(origin, Archive):
            _unpack(path, parts, origin.extras, root)
            path.unlink()
    except (ValueError, tarfile.TarError, EOFError, zlib.error) as error:
        path.unlink(missing_ok=True)
        raise InputError(f"{name}: {url} arrived damaged: {error}; try again later") from error
    except OSError as error:
        raise _missing(name, part, origin, root, f"no download: {type(error).__name__}") from error


def _unpack(archive: Path, parts: tuple[Part, ...], extras: tuple[str, ...], root: Path) -> None:
    """Write the wanted files of an archive, known by their last name, each into its part's first folder.

    No path of the archive is used, so it can write nowhere else.
    """
    folders = {part.name: root / part.folders[0] for part in parts}
    folders |= dict.fromkeys(extras, root / parts[0].folders[0])
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.rpartition("/")[2]
            content = tar.extractfile(member) if name in folders else None
            if content is None or (folders[name] / name).exists():
                continue
            with replacing(folders[name] / name) as temporary, temporary.open("wb") as handle:
                shutil.copyfileobj(content, handle)
