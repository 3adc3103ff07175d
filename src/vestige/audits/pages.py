"""The report page of an assessment."""

from pathlib import Path


def write_page(assessment, result, path: Path) -> None:
    path.write_text("todo")
