"""The files of an explanation."""

from pathlib import Path
from typing import Any

import pandas as pd

from vestige.core import files
from vestige.explanations.found import Found
from vestige.explanations.opened_run import OpenedRun
from vestige.report import static_figures
from vestige.report.explanation import render_explanation
from vestige.report.explanation_figures import Sheet, explanation_sheets
from vestige.report.explanation_page import ExplanationPage
from vestige.risk.estimate import Estimate

FORMATS = (".png", ".svg")


def member_table(run: OpenedRun, found: Found) -> pd.DataFrame:
    """One row per member of the shown model: sample, label, predicted, named_RULE, score_RULE, measures."""
    first, data = found.seen[0], run.plan.dataset
    columns: dict[str, Any] = {
        "sample": data.ids[first.samples],
        "label": run.labels[first.samples],
        "predicted": first.predicted,
    }
    columns |= {f"named_{key}": sets.sets[first.target][first.samples] for key, sets in found.sets.items()}
    columns |= {f"score_{key}": scores[first.target][first.samples] for key, scores in found.scores.items()}
    columns |= {**first.outliers.values, "near_duplicate": first.outliers.near_duplicate}
    return pd.DataFrame(columns)


def write(page: ExplanationPage, members: pd.DataFrame, found: Found, run: OpenedRun, folder: Path) -> None:
    """Every file, each in one step; the report last."""
    tables = {
        "members": members,
        "samples": _samples(found, run),
        "rules": _rules(page),
        "differences": _differences(page),
        "groups": _groups(page),
        "rankings": _rankings(page),
    }
    for name, table in tables.items():
        _write_table(table, folder / f"{name}.parquet")
    files.write_json(folder / "explanation.json", summary(page))
    for sheet in explanation_sheets(page):
        _write_sheet(sheet, folder / "figures")
    _write_galleries(page, folder / "figures")
    render_explanation(page, folder / "report.html")


def summary(page: ExplanationPage) -> dict[str, Any]:
    """The figures that a program asks for first, as JSON holds them."""
    return {
        "schema_version": 1,
        "dataset": page.dataset,
        "model": page.model,
        "target": page.target,
        "members": page.members,
        "fpr": page.fpr,
        "rule": page.headline,
        "rules": _rows(_rules(page)),
        "differences": _rows(_differences(page)),
        "rankings": _rows(_rankings(page)),
        "notes": list(page.notes),
        "command": page.command,
    }


def _samples(found: Found, run: OpenedRun) -> pd.DataFrame:
    """Of each sample the share of the models trained on it that give it away, by rule."""
    shares = {f"given_away_{key}": sets.vulnerability for key, sets in found.sets.items()}
    return pd.DataFrame({"sample": run.plan.dataset.ids, "label": run.labels, **shares})


def _rules(page: ExplanationPage) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "rule": rule.key,
                "fpr": rule.sets.fpr,
                "given_away": int(rule.sets.sizes[page.target]),
                "expected_by_chance": float(rule.sets.expected[page.target]),
                "chance_high": float(rule.sets.chance_high[page.target]),
                **_estimate("times_chance", rule.sets.times_chance()),
                **_estimate("jaccard", rule.stability and rule.stability.jaccard),
                "jaccard_by_chance": rule.stability and rule.stability.chance,
                **_estimate("mislabelled", rule.mislabelled),
            }
            for rule in page.rules
        ]
    )


def _differences(page: ExplanationPage) -> pd.DataFrame:
    """Per rule and measure: Cliff's delta with its interval and p in the shown model, and the mean place."""
    rows: list[dict[str, Any]] = []
    for difference in page.differences:
        places = dict(difference.percentiles)
        contrasts = {one.measure: one for one in difference.contrasts}
        for measure in dict.fromkeys([*places, *contrasts]):
            one = contrasts.get(measure)
            rows.append(
                {
                    "rule": difference.rule,
                    "measure": measure,
                    **_estimate("percentile", places.get(measure)),
                    **_estimate("dominance", one and one.dominance),
                    "p": one and one.p,
                    "p_corrected": one and one.p_corrected,
                    "vulnerable": one and one.vulnerable,
                    "others": one and one.others,
                }
            )
    return pd.DataFrame(rows)


def _groups(page: ExplanationPage) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for kind, found in (("class", page.by_class), (page.group_title, page.by_group)):
        for group in found.groups if found else ():
            mean = _estimate("given_away", group.mean)
            rows.append({"kind": kind, "group": group.name, "records": group.records, **mean, "p": group.p})
    return pd.DataFrame(rows, columns=["kind", "group", "records", *_estimate("given_away", None), "p"])


def _rankings(page: ExplanationPage) -> pd.DataFrame:
    rows = [
        {
            "ranking": ranking.title,
            "cost": ranking.cost,
            "share": top.share,
            "records": top.records,
            **_estimate("precision", top.precision),
            "recall": top.recall,
            "chance": top.chance,
            "ceiling": top.ceiling,
        }
        for ranking in page.rankings
        for top in ranking.top
    ]
    return pd.DataFrame(rows)


def _estimate(name: str, found: Estimate | None) -> dict[str, float | None]:
    if found is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.astype(object).where(table.notna(), None).to_dict(orient="records")


def _write_table(table: pd.DataFrame, path: Path) -> None:
    with files.replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def _write_sheet(sheet: Sheet, folder: Path) -> None:
    """The figure or figures as PNG and SVG, and the numbers behind them."""
    for suffix in FORMATS:
        path = folder / f"{sheet.key}{suffix}"
        if len(sheet.figures) == 1:
            static_figures.draw(sheet.figures[0], path)
        else:
            static_figures.draw_panels(sheet.figures, path)
    numbers = [
        pd.DataFrame(list(one.table.rows), columns=list(one.table.header)).assign(figure=one.title)
        for one in sheet.figures
    ]
    _write_table(pd.concat(numbers, ignore_index=True), folder / f"{sheet.key}.parquet")


def _write_galleries(page: ExplanationPage, folder: Path) -> None:
    """The most and the least typical members, with where the model looks, as one picture of each format."""
    shown = page.records
    if page.attributions is None or shown.pictures is None or shown.maps is None:
        return
    rows = {"closest": page.attributions.closest, "farthest": page.attributions.farthest}
    for suffix in FORMATS:
        static_figures.gallery(shown.pictures, shown.maps, rows, folder / f"gallery{suffix}")
