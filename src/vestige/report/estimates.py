"""An estimate as text."""

from vestige.risk.estimate import Estimate


def shown(estimate: Estimate) -> str:
    """The value with its interval, or a dash."""
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3g}"
    return f"{estimate.value:.3g} ({estimate.low:.3g} to {estimate.high:.3g})"
