"""The answer of an explanation, in sentences."""

from vestige.report.estimates import shown
from vestige.report.explanation_figures import headline_contrasts
from vestige.report.explanation_page import ExplanationPage, Rule
from vestige.risk.estimate import Estimate
from vestige.risk.percent import error_rate, percent

CLEAR = 0.05  # p


def answer_lines(page: ExplanationPage) -> tuple[str, ...]:
    """Who is given away against chance, whether they are the same elsewhere, and what sets them apart."""
    rule = found_rule(page)
    return tuple(line for line in (_size(page, rule), _steady(rule), apart(page), _labels(rule)) if line)


def found_rule(page: ExplanationPage) -> Rule:
    """The rule that decides who counts as vulnerable."""
    return next(rule for rule in page.rules if rule.key == page.headline)


def share(estimate: Estimate) -> str:
    """A share with its interval in percent, or a dash."""
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return percent(estimate.value)
    return f"{percent(estimate.value)} ({100 * estimate.low:.3g} to {percent(estimate.high)})"


def sizes(page: ExplanationPage) -> str:
    """How each rule's sets compare with chance, over all models."""
    told = [f"“{rule.title}” {shown(rule.sets.times_chance())} times" for rule in page.rules]
    return f"Members named against what chance would name, over all models: {', '.join(told)}."


def best_ranking(page: ExplanationPage) -> str:
    """What the best ranking at its top finds, against chance and the most that the set allows."""
    best = max(page.rankings, key=lambda one: one.top[0].precision.value or 0.0)
    top = best.top[0]
    return (
        f"The best at its top {100 * top.share:g} %, “{best.title}” ({best.cost}), has "
        f"{share(top.precision)} of records there that LiRA names; a random ranking has "
        f"{percent(top.chance)}, and the most possible is {percent(top.ceiling)}."
    )


def _size(page: ExplanationPage, rule: Rule) -> str:
    sets, times = rule.sets, rule.sets.times_chance()
    size, expected = int(sets.sizes[page.target]), float(sets.expected[page.target])
    beyond = (
        "more than chance explains" if sets.beyond_chance[page.target] else "no more than chance explains"
    )
    return (
        f"Model {page.target} gives away {size:,} of its {page.members:,} members at an error rate of "
        f"{error_rate(round(sets.fpr, 5))}; chance would name {expected:.3g}, so this is {beyond}. Over all "
        f"models it is {shown(times)} times chance."
    )


def _steady(rule: Rule) -> str:
    if rule.stability is None or rule.stability.jaccard.value is None:
        return ""
    chance = rule.stability.chance
    beside = "" if chance is None else f", where chance gives {chance:.2g}"
    return (
        f"Of the members that either of two models gives away, {100 * rule.stability.jaccard.value:.0f} % "
        "are given "
        f"away by both{beside}: the rest is particular to one training."
    )


def apart(page: ExplanationPage) -> str:
    """What sets the members that are given away apart from the others of the shown model."""
    clear = [one for one in headline_contrasts(page) if one.p_corrected <= CLEAR]
    if not clear:
        return "No measure sets them apart from other members beyond chance in the shown model."
    told = ", ".join(f"{one.measure.lower()} ({one.dominance.value:+.2f})" for one in clear[:3])
    return f"What sets them apart the most from other members, by Cliff's delta: {told}."


def _labels(rule: Rule) -> str:
    if rule.mislabelled is None or rule.mislabelled.value is None:
        return ""
    return (
        f"{100 * rule.mislabelled.value:.0f} % of those given away have a label that is known to be wrong, "
        "against "
        f"{100 * (rule.mislabelled_base or 0.0):.1f} % of all records."
    )
