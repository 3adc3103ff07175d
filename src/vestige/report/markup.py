"""Pieces of HTML, escaped."""

import base64
import csv
import io
from collections.abc import Iterable, Sequence
from html import escape

from vestige.report.figure import Figure, Table
from vestige.report.plotly_page import draw

WIDE = 6  # columns that fit beside one another in the width of the text


def text(value: object) -> str:
    """The value as escaped text, where a line never breaks before a percent sign."""
    return escape(str(value)).replace(" %", "\u00a0%")


def paragraph(value: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f"<p{_class(kind)}>{text(value)}</p>"


def bullets(items: Iterable[str], kind: str = "") -> str:
    """A list of plain sentences."""
    return f"<ul{_class(kind)}>{''.join(f'<li>{text(item)}</li>' for item in items)}</ul>"


def links(rows: Iterable[tuple[str, str]]) -> str:
    """A list of names that lead to their addresses."""
    items = "".join(f'<li><a href="{text(address)}">{text(name)}</a></li>' for name, address in rows)
    return f"<ul>{items}</ul>"


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values side by side."""
    body = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in rows)
    return f'<dl class="facts">{body}</dl>'


def table(
    caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[int] = ()
) -> str:
    """A table of text; the numbered columns are set as figures, their intervals below where room is short.

    One with many columns takes the room beside the text as well.
    """
    kinds = ["number" if i in numeric else "" for i in range(len(header))]
    head = "".join(f'<th scope="col"{_class(k)}>{text(h)}</th>' for h, k in zip(header, kinds, strict=True))
    body = "".join(f"<tr>{_cells(row, kinds)}</tr>" for row in rows)
    return (
        f'<div class="scroll{" wide" if len(header) > WIDE else ""}" tabindex="0" role="region" '
        f'aria-label="{text(caption)}"><table>'
        f"<caption>{text(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def section(number: str, title: str, *parts: str) -> str:
    """A numbered section."""
    head = f'<h2 id="section-{number}"><span class="section-number">{number}</span> {text(title)}</h2>'
    return f'<section aria-labelledby="section-{number}">{head}{"".join(parts)}</section>'


def figure(content: Figure) -> str:
    """A figure with title, caption, alternative text and its numbers as CSV."""
    return (
        f'<figure id="figure-{content.key}"><h3>{text(content.title)}</h3>'
        f'<div class="plot" role="img" aria-label="{text(content.alt)}">{draw(content)}</div>'
        f"<figcaption>{text(content.caption)} {download(content.key, content.table)}</figcaption></figure>"
    )


def more(title: str, *parts: str) -> str:
    """Parts that open when asked for."""
    return f'<details class="more"><summary>{text(title)}</summary>{"".join(parts)}</details>'


def download(name: str, content: Table) -> str:
    """A link that holds the table as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(content.header)
    writer.writerows([f"{c:.6g}" if isinstance(c, float) else c for c in row] for row in content.rows)
    data = base64.b64encode(buffer.getvalue().encode()).decode()
    return f'<a class="csv" download="{name}.csv" href="data:text/csv;base64,{data}">Numbers (CSV)</a>'


def _cells(row: Sequence[str], kinds: Sequence[str]) -> str:
    cells = zip(row, kinds, strict=True)
    first, first_kind = next(cells)
    rest = "".join(f"<td{_class(kind)}>{_broken(cell) if kind else text(cell)}</td>" for cell, kind in cells)
    return f'<th scope="row"{_class(first_kind)}>{text(first)}</th>{rest}'


def _broken(figure: str) -> str:
    """A figure that may break before its interval or after a comma, and nowhere else."""
    return text(figure).replace(" (", " <wbr>(").replace(", ", ", <wbr>")


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
