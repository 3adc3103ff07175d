"""The answer in two sentences."""

import numpy as np

from vestige.localization.localization import BUDGET, ROUTING, Localization
from vestige.localization.order import listed
from vestige.models.protected import ALL, NONE
from vestige.report.defense_table import shown
from vestige.risk.estimate import Estimate

CAUTION = (
    "The choice was made on the targets that it is judged by, so it looks better than it is: for an honest "
    "one take protect=auto in vestige compare, which chooses on other records."
)


def answer(found: Localization) -> tuple[str, ...]:
    """Where risk lies and where generalization, and which protection is best on these targets."""
    where = (
        f"By routed training, which decides, {_placed(found, 'privacy', 'privacy risk', 'AUC')}, and "
        f"{_placed(found, 'generalization', 'generalization', 'accuracy')}."
    )
    return where, _recommended(found)


def _placed(found: Localization, metric: str, what: str, figure: str) -> str:
    """Where most of it lies, or where some lies for certain; what intervals do not tell is said to be so."""
    order = found.order(ROUTING, metric)
    if order.first is not None:
        lowered = _lowers(found, metric, figure, order.first)
        return f"most {what} lies in {order.first}: the defense there alone {lowered}"
    if order.above:
        lowered = _lowers(found, metric, figure, *order.above)
        return f"{what} lies clearly in {listed(order.above)}, where the defense alone {lowered}{order.doubt}"
    values = found.values(ROUTING, metric)
    place = int(np.nanargmax(values))
    if values[place] <= 0:
        return f"{what} lies in no single region: the defense in any one of them lowers no {figure}"
    name = found.names[place]
    return (
        f"{what} lies clearly in no single region: most in {name}, where the defense alone "
        f"{_lowers(found, metric, figure, name)}, which may be chance"
    )


def _lowers(found: Localization, metric: str, figure: str, *names: str) -> str:
    by = [shown(found.estimate(ROUTING, name, metric)) for name in names]
    return f"lowers {figure} by {listed(by)}"


def _recommended(found: Localization) -> str:
    best = found.best
    budget = f"While accuracy falls by at most {100 * BUDGET:g} point"
    if best is None:
        return f"{budget}, no protection lowers the AUC on these targets."
    gained = found.estimate(ROUTING, best, "privacy")
    chance = "" if _is_clear(gained) else f", though AUC falls by {shown(gained)} only, which may be chance"
    beside = "" if best == ALL else f" and {_pair(found, ALL)} with the defense everywhere"
    return (
        f"{budget}, protect={best} leaks least on these targets: {_pair(found, best)}, against "
        f"{_pair(found, NONE)} without a defense{beside}{chance}."
    )


def _is_clear(estimate: Estimate) -> bool:
    """Whether the whole interval lies above 0."""
    return estimate.low is not None and bool(estimate.low > 0)


def _pair(found: Localization, words: str) -> str:
    accuracy, leaked = (found.estimate(ROUTING, words, metric).value for metric in ("accuracy", "auc"))
    return f"accuracy {accuracy:.3f} and AUC {leaked:.3f}"
