"""The table of a study, for a terminal, for a page and for a program."""

import json
from collections.abc import Sequence
from pathlib import Path

from vestige.core import files
from vestige.risk.document import to_plain
from vestige.risk.estimate import Estimate
from vestige.studies.finding import Finding

HEADER = ("claim", "paper", "here", "ours (95 % interval)", "asked", "verdict")


def markdown(findings: Sequence[Finding]) -> str:
    """The findings as a table in Markdown, with their notes below."""
    rows = [HEADER, tuple("---" for _ in HEADER)]
    notes = list(dict.fromkeys(f.note for f in findings if f.note))
    for f in findings:
        mark = f" [{notes.index(f.note) + 1}]" if f.note else ""
        rows.append((f.claim, f.paper, f.setting, shown(f.ours), f.bound, f"{f.verdict}{mark}"))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", *(f"[{i}] {note}" for i, note in enumerate(notes, 1))]).rstrip() + "\n"


def shown(estimate: Estimate) -> str:
    """The value with its interval, three digits."""
    if estimate.value is None:
        return estimate.note or "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3g}"
    return f"{estimate.value:.3g} ({estimate.low:.3g} to {estimate.high:.3g})"


def write(findings: Sequence[Finding], title: str, folder: Path) -> Path:
    """Write study.json and study.md, each in one step; return the path of the latter."""
    rows = [to_plain(f) for f in findings]
    files.write_text(
        folder / "study.json",
        json.dumps({"schema_version": 1, "title": title, "rows": rows}, indent=2) + "\n",
    )
    path = folder / "study.md"
    files.write_text(path, f"# {title}\n\n{markdown(findings)}")
    return path
