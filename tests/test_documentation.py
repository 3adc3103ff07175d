"""What the README and the documentation say must hold: links, attacks, options, commands, code."""

import ast
import dataclasses
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from vestige.attacks.catalog import ATTACKS, DEFAULT_SET
from vestige.audits import options
from vestige.cli.main import app
from vestige.data.sources import BENCHMARKS, EMBEDDED

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
INLINE = re.compile(r"`[^`\n]*`")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def name_of(page):
    return str(page.relative_to(ROOT))


def blocks(page, language):
    return [code for kind, code in FENCE.findall(page.read_text(encoding="utf-8")) if kind == language]


def prose(page):
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page):
    return LINK.findall(INLINE.sub("", prose(page)))


def anchors(page):
    """The anchors of a page's headings, by the rule of the usual forges."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(page):
    found = []
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


def commands(page):
    """The lines of shell blocks that call vestige, as words after the command's name."""
    lines = [shlex.split(line) for block in blocks(page, "sh") for line in block.splitlines()]
    stripped = [[w for i, w in enumerate(line) if i or "=" not in w] for line in lines]
    return [line[1:] for line in stripped if line and line[0] == "vestige"]


def parse(words):
    """Parse a command line without running it; raises on an unknown verb, option or type of value."""
    command = typer.main.get_command(app)
    path = ["vestige"]
    while hasattr(command, "commands"):
        path.append(words[0])
        command, words = command.commands[words[0]], words[1:]
    command.make_context(" ".join(path), list(words))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_resolve(page):
    assert broken_links(page) == []


def test_the_check_of_links_can_fail(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A title\n[a](#a-title) [b](#no-title) [c](absent.md) [d](https://example.org)\n")
    assert broken_links(page) == ["#no-title", "absent.md"]


def test_every_page_can_be_reached_from_the_readme():
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page.suffix == ".md" and page not in seen:
            seen.add(page)
            todo += [(page.parent / link.partition("#")[0]).resolve() for link in links(page)]
    assert set(PAGES) <= seen


def test_every_attack_has_a_page_and_the_reverse():
    pages = {page.stem for page in (ROOT / "docs" / "attacks").glob("*.md")}
    assert pages == set(ATTACKS)


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attack_page_gives_formula_sign_needs_defaults_and_paper(name):
    text = (ROOT / "docs" / "attacks" / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert "score(x) =" in text
    for word in ("**Sign.**", "**Needs.**", "**Defaults", "Paper"):
        assert word in text
    year = re.search(r"\d{4}", ATTACKS[name].paper)
    assert year
    assert year.group() in text


def test_the_overview_stars_the_default_set():
    text = (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8")
    starred = set(re.findall(r"^\| \[([\w-]+)\]\(\S+\) \* \|", text, re.MULTILINE))
    assert starred == set(DEFAULT_SET)


def test_every_option_is_documented():
    text = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert described == {field.name for field in dataclasses.fields(options.Options)}


def test_every_data_set_is_documented():
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert [name for name in (*EMBEDDED, *BENCHMARKS) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_blocks_compile(page):
    for code in blocks(page, "python"):
        ast.parse(code)


def test_toml_blocks_are_options(tmp_path):
    (code,) = blocks(ROOT / "docs" / "options.md", "toml")
    path = tmp_path / "audit.toml"
    path.write_text(code)
    assert options.from_toml(path).dataset == "digits"


@pytest.mark.parametrize(
    "words", [c for page in PAGES for c in commands(page)], ids=lambda words: " ".join(words)
)
def test_commands_parse(words):
    parse(words)


def test_the_check_of_commands_can_fail():
    assert len(commands(ROOT / "README.md")) >= 8
    with pytest.raises(Exception, match=r"No such option.*--model-name"):
        parse(["audit", "digits", "--model-name", "mlp"])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_short_and_compile(example):
    code = example.read_text(encoding="utf-8")
    ast.parse(code)
    assert len(code.splitlines()) < 40


def run(code_or_path, folder):
    arguments = [str(code_or_path)] if isinstance(code_or_path, Path) else ["-c", code_or_path]
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=120
    ).stdout


def test_the_example_of_ready_made_signals_runs(tmp_path):
    printed = run(ROOT / "examples" / "ready_made_signals.py", tmp_path)
    assert 0.6 < float(re.search(r"AUC ([\d.]+)", printed).group(1)) < 0.7
    assert (tmp_path / "signals.npz").is_file()


def test_the_readmes_own_snippet_of_signals_runs(tmp_path):
    (code,) = [c for c in blocks(ROOT / "README.md", "python") if "vestige.score" in c]
    assert 0 < float(run(code, tmp_path)) < 1


def test_the_roc_of_the_documentation_is_as_said(tmp_path):
    (code,) = blocks(ROOT / "docs" / "statistics.md", "python")
    said = [float(value) for value in re.findall(r"# ([\d.]+?)(?:\.\.\.|:|$)", code, re.MULTILINE)]
    printed = [float(line) for line in run(code, tmp_path).split()]
    assert printed == pytest.approx(said, abs=1e-3)
