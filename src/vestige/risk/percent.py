"""Fractions as a reader sees them."""


def percent(fraction: float) -> str:
    """A fraction as a percentage with three significant digits; 100 % only where nothing is missing."""
    text = f"{100 * fraction:.3g}"
    return "more than 99.9 %" if text == "100" and fraction < 1 else f"{text} %"


def error_rate(fpr: float) -> str:
    """A declared error rate as a percentage."""
    return f"{100 * fpr:g} %"
