import gzip
import hashlib
import io
import tarfile
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler

import pytest

from vestige.core.errors import InputError
from vestige.data.official import Archive, Gzip, Part, data_folder, obtain, verify

CONTENT = b"the official bytes"
COMPRESSED = gzip.compress(CONTENT, mtime=0)


def md5(content):
    return f"md5:{hashlib.md5(content).hexdigest()}"


PART = Part(
    name="file",
    folders=("set/raw", "set"),
    size=len(CONTENT),
    checksum=md5(CONTENT),
    gz_checksum=md5(COMPRESSED),
)
NOWHERE = Gzip(url="http://127.0.0.1:9/unreachable")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """A folder that is served over HTTP, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    with HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def tar_of(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("place", ["set/raw/file", "set/file"])
def test_present_file_is_found_in_each_folder(tmp_path, place):
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert obtain("set", (PART,), NOWHERE, tmp_path) == [path]


def test_compressed_copy_serves_as_well(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "file.gz").write_bytes(COMPRESSED)
    assert obtain("set", (PART,), NOWHERE, tmp_path) == [tmp_path / "set" / "file.gz"]


def test_truncated_file_names_both_sizes(tmp_path):
    (tmp_path / "file").write_bytes(CONTENT[:-3])
    with pytest.raises(InputError, match=r"file is not the official file.*expected 18 bytes, found 15"):
        verify(tmp_path / "file", PART)


def test_altered_file_names_both_checksums(tmp_path):
    altered = CONTENT[:-1] + b"S"
    (tmp_path / "file").write_bytes(altered)
    with pytest.raises(InputError, match=f"expected {md5(CONTENT)}, found {md5(altered)}"):
        verify(tmp_path / "file", PART)


def test_a_file_that_changes_is_checked_again(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    verify(path, PART)
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(InputError, match="damaged"):
        verify(path, PART)


def test_missing_file_without_network_says_what_to_do(tmp_path):
    with pytest.raises(InputError) as caught:
        obtain("fashion", (PART,), NOWHERE, tmp_path)
    for words in (str(tmp_path / "set/raw/file"), "--data-dir", "VESTIGE_DATA", f"{NOWHERE.url}/file.gz"):
        assert words in str(caught.value)


def test_single_files_are_downloaded(tmp_path, server):
    folder, url = server
    (folder / "file.gz").write_bytes(COMPRESSED)
    assert obtain("set", (PART,), Gzip(url=url), tmp_path) == [tmp_path / "set/raw/file.gz"]


def test_archive_is_unpacked_wherever_its_files_lie(tmp_path, server):
    folder, url = server
    tar_of(folder / "set.tgz", {"deep/down/file": CONTENT, "names.txt": b"a b", "deep/other": b"unwanted"})
    origin = Archive(
        url=f"{url}/set.tgz", checksum=md5((folder / "set.tgz").read_bytes()), extras=("names.txt",)
    )
    root = tmp_path / "root"
    assert obtain("set", (PART,), origin, root) == [root / "set/raw/file"]
    assert sorted(p.name for p in root.rglob("*") if p.is_file()) == ["file", "names.txt"]


def test_archive_cannot_write_elsewhere(tmp_path, server):
    folder, url = server
    tar_of(folder / "set.tgz", {"../../file": CONTENT})
    root = tmp_path / "a" / "b"
    obtain("set", (PART,), Archive(url=f"{url}/set.tgz"), root)
    assert [p for p in tmp_path.rglob("file") if p.is_file()] == [root / "set/raw/file"]


@pytest.mark.parametrize("checksum", ["md5:" + "0" * 32, None])
def test_damaged_download_is_refused_and_not_kept(tmp_path, server, checksum):
    folder, url = server
    (folder / "set.tgz").write_bytes(b"no archive at all")
    with pytest.raises(InputError, match="arrived damaged"):
        obtain("set", (PART,), Archive(url=f"{url}/set.tgz", checksum=checksum), tmp_path / "root")
    assert not [p for p in (tmp_path / "root").rglob("*") if p.is_file()]


def test_archive_without_the_file_is_refused(tmp_path, server):
    folder, url = server
    tar_of(folder / "set.tgz", {"other": CONTENT})
    with pytest.raises(InputError, match="did not contain it"):
        obtain("set", (PART,), Archive(url=f"{url}/set.tgz"), tmp_path / "root")


def test_not_found_on_the_server_says_what_to_do(tmp_path, server):
    with pytest.raises(InputError, match="no download: HTTPError"):
        obtain("set", (PART,), Gzip(url=server[1]), tmp_path)


def test_data_folder_prefers_the_option(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    monkeypatch.setenv("VESTIGE_DATA", str(tmp_path))
    assert data_folder(tmp_path / "a") == tmp_path / "a"
    assert data_folder(None) == tmp_path
    monkeypatch.delenv("VESTIGE_DATA")
    assert data_folder(None).name == "vestige"


def test_named_folder_must_exist(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="--data-dir"):
        data_folder(tmp_path / "absent")
    monkeypatch.setenv("VESTIGE_DATA", str(tmp_path / "absent"))
    with pytest.raises(InputError, match="VESTIGE_DATA"):
        data_folder(None)
