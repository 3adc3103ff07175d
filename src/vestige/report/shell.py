"""What every page shares: one HTML document that asks nothing of any network."""

from importlib.resources import files

from vestige.report.markup import text
from vestige.report.plotly_page import library
from vestige.report.words import checked

# Makes the browser itself refuse every request to another place.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


def document(
    title: str, body: str, *, given: tuple[str, ...] = (), styles: tuple[str, ...] = (), script: str = ""
) -> str:
    """The body as a whole document, with the drawing library and the common style.

    given: the user's own words, which the word guard does not judge. styles: further files of this folder.
    Raises ValidityError when the body would hold a word that no audit can carry.
    """
    style = "".join(asset(name) for name in ("style.css", *styles))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{text(title)}</title><style>{style}</style><script>{library()}</script></head>"
        f"<body>{checked(body, given)}<script>{asset('page.js')}{script}</script></body></html>\n"
    )


def asset(name: str) -> str:
    """The text of a file of this folder."""
    return files("vestige.report").joinpath(name).read_text(encoding="utf-8")
