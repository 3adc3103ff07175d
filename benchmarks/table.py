"""The table on the terminal, and as a section of a Markdown file."""

import re
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machine import Machine
from benchmarks.row import HEADINGS, Row

COLORS = {
    "aim met": "green",
    "met": "green",
    "floor met": "cyan",
    "below floor": "red",
    "no verdict": "yellow",
}


def show(machine: Machine, rows: list[Row], console: Console) -> None:
    table = Table(title=machine.title, caption="\n".join(machine.facts), caption_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row.cells, style=COLORS.get(row.verdict))
    console.print(table)


def markdown(machine: Machine, rows: list[Row]) -> str:
    """A section: its heading is the machine, so that a later run on the same machine replaces it."""
    lines = [f"## {machine.title}", "", *(f"- {fact}" for fact in machine.facts), ""]
    lines += [_line(HEADINGS), _line(("---",) * len(HEADINGS))]
    lines += [_line(row.cells) for row in rows]
    return "\n".join(lines) + "\n"


def write(path: Path, machine: Machine, rows: list[Row]) -> None:
    """Put the section in place of the one with the same heading, or at the end; other text stays."""
    text = path.read_text(encoding="utf-8") if path.exists() else "# Measured\n"
    section = markdown(machine, rows)
    old = re.compile(rf"^{re.escape(f'## {machine.title}')}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    if old.search(text):
        text = old.sub(lambda match: section + ("" if match.end() == len(text) else "\n"), text, count=1)
    else:
        text = text.rstrip("\n") + "\n\n" + section
    path.write_text(text, encoding="utf-8")


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
