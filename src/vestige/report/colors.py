"""The colors of regions, classes and curves."""

from vestige.risk.region import REGIONS, Regions

# Mid-tones that keep apart from white and from near-black paper, and from each other for most color vision.
COLORS = {
    "ink": "#7a828f",
    "accent": "#1f8a83",
    "muted": "#9aa1ac",
    "blue": "#4a7fc1",
    "amber": "#cf8f1d",
    "violet": "#8b6bb8",
    "rose": "#c2608a",
    "green": "#6a9a3b",
    "slate": "#66707f",
    "Safe": "#8c98a8",
    "Ambiguous": "#8b6bb8",
    "Emerging": "#d9962a",
    "High": "#cc3f4f",
    "Inverted": "#4a7fc1",
}

PALETTE = ("blue", "amber", "violet", "rose", "green", "slate")

CLASSES = (
    "#4a7fc1", "#d9962a", "#3f9c78", "#cc5f6e", "#8b6bb8",
    "#9a7b56", "#d07fb4", "#7b8f3a", "#35a0b5", "#77808f",
)  # fmt: skip


COLORS.update({f"class {number}": color for number, color in enumerate(CLASSES)})


def class_color(number: int) -> str:
    """The color by name of the class of that number."""
    return f"class {number % len(CLASSES)}"


def color_of(parts: Regions, region: int) -> str:
    """The color of a region by name: its own if it is one of the five, red if vulnerable, else by number."""
    if parts.names[region] in REGIONS:
        return parts.names[region]
    return "High" if region in parts.vulnerable else PALETTE[region % len(PALETTE)]


def line_color(number: int) -> str:
    """The color by name of the line of that number in a figure of several."""
    return ("accent", *PALETTE)[number % (len(PALETTE) + 1)]
