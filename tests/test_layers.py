"""A folder imports only folders that stand before it."""

import ast
from pathlib import Path

import pytest

import vestige

ORDER = [
    "core", "stats", "data", "models", "signals", "training", "defenses", "population",
    "attacks", "risk", "motion", "leakage", "vulnerability", "tracking",
    "report", "audits", "designs", "localization", "explanations", "studies", "cli",
]  # fmt: skip
ROOT = Path(vestige.__file__).parent
HEAVY = {
    "plotly": "report",
    "pooch": "data",
    "typer": "cli",
    "loky": "population",
    "sklearn": "attacks, data, motion, vulnerability",
    "lightning": "tracking",
    "transformers": "tracking",
    "opacus": "training",
    "captum": "signals",
    "matplotlib": "report",
}


def imported(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return names


def layer_violations(path: Path, folder: str, names: list[str]) -> list[str]:
    allowed = ORDER[: ORDER.index(folder) + 1]
    own = [name.split(".")[1] if "." in name else "" for name in names if name.split(".")[0] == "vestige"]
    return [
        f"{path.name} in {folder}/ imports {name or 'the package root'}"
        for name in own
        if name not in allowed
    ]


def test_every_folder_has_its_place():
    folders = {p.name for p in ROOT.iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert folders == set(ORDER)


@pytest.mark.parametrize("folder", ORDER)
def test_a_folder_imports_only_folders_before_it(folder):
    violations = [v for p in (ROOT / folder).rglob("*.py") for v in layer_violations(p, folder, imported(p))]
    assert violations == []


def test_the_check_sees_a_violation():
    names = ["vestige.report.page", "vestige.core.check", "vestige"]
    assert len(layer_violations(Path("x.py"), "attacks", names)) == 2


@pytest.mark.parametrize(("library", "folder"), sorted(HEAVY.items()))
def test_a_heavy_library_is_imported_in_one_folder(library, folder):
    users = {
        p.parent.name for p in ROOT.rglob("*.py") if any(n.split(".")[0] == library for n in imported(p))
    }
    assert users == set(folder.split(", "))


@pytest.mark.parametrize("folder", ["stats", "attacks", "risk", "motion", "leakage", "explain", "report"])
def test_what_stands_right_of_the_signals_knows_no_torch(folder):
    users = [
        p.name for p in (ROOT / folder).rglob("*.py") if any(n.split(".")[0] == "torch" for n in imported(p))
    ]
    assert users == []
