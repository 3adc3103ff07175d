"""The report page of an assessment."""

from pathlib import Path

import numpy as np

from vestige.audits.assessment import Assessment
from vestige.audits.information import Evidence, measured, too_few
from vestige.core.errors import InputError
from vestige.report.arrays import AccuracyCurve, ReportArrays
from vestige.report.information import InformationPage
from vestige.report.page import render
from vestige.risk.result import AuditResult

FLAT_IMAGES = {"digits": (1, 8, 8)}  # data sets that hold images as rows: channels, height, width


def write_page(
    assessment: Assessment,
    result: AuditResult,
    class_names: tuple[str, ...],
    told: InformationPage,
    path: Path,
) -> None:
    """Write the report of this assessment."""
    subject, accuracy = assessment.subject, assessment.accuracy
    curves = {} if accuracy is None else {"members": accuracy.train, "non-members": accuracy.test}
    arrays = ReportArrays(
        curves=assessment.curves,
        ids=subject.ids,
        plane=assessment.plane,
        labels=subject.labels,
        class_names=class_names,
        accuracy=tuple(
            AccuracyCurve(part=part, epochs=subject.epochs, values=values) for part, values in curves.items()
        ),
        difficulty=assessment.difficulty.out_loss,
        inputs=subject.inputs,
        image_shape=FLAT_IMAGES.get(result.identity.dataset),
    )
    render(result, arrays, path, told)


def information_page(evidence: Evidence, folder: Path) -> InformationPage:
    """What the evidence tells in nats, written to the folder too; the reason where it cannot tell."""
    try:
        found = measured(evidence)
    except InputError as error:
        return InformationPage(found=None, missing=too_few(evidence.membership) or f"Not estimated: {error}")
    found.write(folder)
    return InformationPage(found=found.information, kl=found.records["kl"].to_numpy(np.float64))
