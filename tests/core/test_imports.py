import subprocess
import sys

import pytest

from vestige.core import imports
from vestige.core.errors import InputError


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current directory, with the import state put back after the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_resolves_a_function_of_the_current_directory(here):
    (here / "mine_a.py").write_text("def seven():\n    return 7\n")
    assert imports.resolve("mine_a:seven")() == 7


def test_resolves_inside_a_package_and_a_class(here):
    (here / "pack").mkdir()
    (here / "pack" / "part.py").write_text(
        "class Box:\n    @staticmethod\n    def make():\n        return 3\n"
    )
    assert imports.resolve("pack.part:Box.make")() == 3


@pytest.mark.parametrize(
    "name", ["json", "json:", ":loads", "a-b:c", "json:loads()", "dir/my_model.py:net", ""]
)
def test_malformed_names_are_refused(name):
    with pytest.raises(InputError, match="not of the form"):
        imports.resolve(name)


def test_a_file_name_gets_a_hint():
    with pytest.raises(InputError, match=r"without \.py"):
        imports.resolve("my_model.py:net")


def test_missing_module_names_it_and_the_folder(here):
    with pytest.raises(InputError, match=f"no_such_module_x.*{here}"):
        imports.resolve("no_such_module_x:f")


def test_missing_dependency_of_the_module_is_told_apart(here):
    (here / "mine_b.py").write_text("import no_such_dependency_x\n")
    with pytest.raises(InputError, match=r"'mine_b' fails on import.*no_such_dependency_x"):
        imports.resolve("mine_b:f")


def test_a_module_that_raises_is_reported(here):
    (here / "mine_c.py").write_text("1 / 0\n")
    with pytest.raises(InputError, match="'mine_c' fails on import: ZeroDivisionError"):
        imports.resolve("mine_c:f")


def test_misspelt_function_suggests_its_neighbor():
    with pytest.raises(InputError, match=r"did you mean.*loads"):
        imports.resolve("json:laods")


def test_a_value_is_not_a_function():
    with pytest.raises(InputError, match="is a str, not a function"):
        imports.resolve("string:digits")


def test_name_of_leads_back():
    assert imports.name_of(imports.resolve) == "vestige.core.imports:resolve"
    assert imports.resolve(imports.name_of(imports.resolve)) is imports.resolve


def test_name_of_refuses_what_no_name_leads_to():
    def nested():
        return 1

    for function in (lambda: 1, nested):
        with pytest.raises(InputError, match="no importable name"):
            imports.name_of(function)


def test_source_digest_follows_the_file(here):
    path = here / "mine_d.py"
    path.write_text("def f():\n    return 1\n\ndef g():\n    return 1\n")
    f, g = imports.resolve("mine_d:f"), imports.resolve("mine_d:g")
    before = imports.source_digest(f)
    assert before == imports.source_digest(f) != imports.source_digest(g)
    path.write_text(path.read_text().replace("1", "2"))
    assert imports.source_digest(f) != before


def test_source_digest_without_a_file_follows_the_code():
    digests = []
    for text in ("def f(): return 1", "def f(): return 2", "def f(): return 1"):
        space = {}
        exec(text, space)
        digests.append(imports.source_digest(space["f"]))
    assert digests[0] == digests[2] != digests[1]


def test_the_current_directory_counts_for_an_installed_command(here):
    (here / "mine_e.py").write_text("def f():\n    return 'found'\n")
    code = "import sys; sys.path = [p for p in sys.path if p]; from vestige.core import imports; "
    code += "print(imports.resolve('mine_e:f')())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=here, check=False
    )
    assert done.stdout.strip() == "found", done.stderr
