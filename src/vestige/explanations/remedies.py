"""What can be done for the records that are given away, as sentences and commands."""

from vestige.explanations.opened_run import OpenedRun


def remedies(run: OpenedRun, target: int) -> tuple[str, ...]:
    """What reweighting the logits can reach at best here, what treating records beforehand asks for, and how
    to measure both; a line that begins with $ is a command.
    """
    member, right = run.plan.membership.mask[target], run.trace("correct", target)[-1]
    train, test = float(right[member].mean()), float(right[~member].mean())
    gap = 100 * (train - test)
    return (
        "Reweighting logits after training pulls every answer towards the mean of its class. It changes no "
        "prediction, so that what remains is whether the answer is right: this model is right on "
        f"{100 * train:.1f} % of its members and {100 * test:.1f} % of others, and one threshold on the loss "
        f"then keeps an AUC of about 50 % + {gap:.1f} % / 2 = {50 + gap / 2:.1f} % and an advantage of about "
        f"{max(gap, 0):.1f} %.",
        "It holds against somebody who sees rounded answers, or cannot estimate the mean of each class. "
        "Somebody who knows these means undoes it, and the comparison measures that attack too.",
        "Treating the most exposed members beforehand (dropped, weighted down, smoothed, noised, relabelled) "
        "takes away what sets them apart. Others may then become the most exposed, so the comparison shows "
        "those that were not treated as well.",
        f"$ {_compare(run)} --defense logit_reweighting:0.1 --defense pre_identification:0.1/action=drop",
    )


def _compare(run: OpenedRun) -> str:
    return f"vestige compare {run.prepared.options.dataset or 'DATASET'}"
