"""The page of a sweep: what linear models tell of their records under varied conditions."""

from pathlib import Path

from vestige.core.files import write_text
from vestige.report.leakage_sweep_figures import NAMES, SweepPage, sweep_figure
from vestige.report.markup import bullets, facts, figure, paragraph, section, table
from vestige.report.shell import document

TITLE = "What a linear model tells of its records"
SHOWN = (("kl", "mean"), ("kl", "q99"), ("kl", "max"), ("mutual_information", "mean"))
LIMITED = (
    ("advantage", "mean"), ("advantage", "max"),
    ("tpr@0.01", "mean"), ("tpr@0.01", "max"), ("tpr@0.001", "mean"), ("tpr@0.001", "max"),
)  # fmt: skip
WORDS = {
    "kl": "KL",
    "mutual_information": "Mutual information",
    "advantage": "Advantage",
    "tpr@0.01": "TPR at 1 % FPR",
    "tpr@0.001": "TPR at 0.1 % FPR",
}
IN_UNIT = ("kl", "mutual_information")


def render_sweep(page: SweepPage, path: Path) -> Path:
    """Write the page in one step and return its path.

    Raises ValidityError when the text would hold a word that no audit can carry.
    """
    given = (page.dataset, *(row.name for row in page.rows), *(value for _, value in page.facts))
    body = f"<main><h1>{TITLE}</h1>{_body(page)}</main>"
    write_text(path, document(TITLE, body, given=given))
    return path


def _body(page: SweepPage) -> str:
    figures = [figure(sweep_figure(plot, i, page.unit)) for i, plot in enumerate(page.plots)]
    along = figures or [paragraph("No option with a number was varied, so that there is nothing to draw.")]
    return "".join(
        (
            section("1", "What is measured", facts(page.facts), *_measured(page)),
            section("2", "Along each option", *along),
            section("3", "Every condition", _divergences(page)),
            section("4", "The adversary that it limits", *_adversary(page)),
            section("5", "Small print", bullets((*page.notes, *_small_print(page)))),
        )
    )


def _measured(page: SweepPage) -> list[str]:
    kind = "exact" if page.exact else "estimated"
    return [
        paragraph(
            "An adversary knows every record of the training set but one, knows how models are trained, and "
            f"sees what is released. Was that one record used? {page.randomness} Without such randomness the "
            "answer would be certain and the figures infinite."
        ),
        paragraph(
            "KL is the divergence of what is released with the record from what is released without it. "
            "Mutual information is what the release tells, on average, about a fair coin that decided if "
            f"the record was in, at most 1 bit = 0.693 nats. All figures here are {kind} for each record, in "
            f"{page.unit}, and speak of this training on these records. {_repeated(page)}"
        ),
    ]


def _repeated(page: SweepPage) -> str:
    if page.seeds == 1:
        return "There is one repetition."
    return f"Tables show means over {page.seeds} repetitions with other random records."


def _divergences(page: SweepPage) -> str:
    titles = [f"{WORDS[q]}, {page.unit}: {NAMES[s]}" for q, s in SHOWN]
    rows = [(row.name, *(f"{row.values[key]:.3g}" for key in SHOWN)) for row in page.rows]
    return table("Divergences over records", ("Condition", *titles), rows, numeric=range(1, len(SHOWN) + 1))


def _adversary(page: SweepPage) -> list[str]:
    titles = [f"{WORDS[q]}: {NAMES[s]}" for q, s in LIMITED]
    rows = [(row.name, *(f"{row.values[key]:.3g}" for key in LIMITED)) for row in page.rows]
    reached = (
        "Both laws are one Gaussian, moved, so these are the figures of the best attack there can be: no "
        "adversary who sees this release does better, and one who knows all else does as well."
        if page.known_laws
        else "The advantage is that of the best attack. The TPRs are the most that the divergences leave to "
        "any attack; the best one may stay below."
    )
    header = ("Condition", *titles)
    return [
        paragraph(f"Advantage is TPR − FPR at its best threshold, record by record. {reached}"),
        table("The best attack on a record", header, rows, numeric=range(1, len(header))),
    ]


def _small_print(page: SweepPage) -> list[str]:
    return [
        "After Farokhi and Kaafar 2020 (arXiv 2001.10648), of which only the abstract was at hand: threat "
        "model and formulas are a reconstruction.",
        "The objective is the mean loss plus weight/2 times the squared norm of the parameters, without "
        "intercept. Removal of a record averages the loss over one record less.",
        "Inputs are centered and divided by the largest norm; two classes count as -1 and +1.",
        "All of this is about a release of parameters. An adversary who only asks for predictions sees less, "
        "and what he sees may follow an option in the other direction.",
        "Intervals of slopes: Student's over seeds where there are three or more, else from the scatter of "
        "the points about the line; where the line is curved, no single power describes it.",
    ]
