"""Every measure of the dynamics: its name, unit and definition."""

from dataclasses import dataclass

import numpy as np

from vestige.motion.entropy import CELLS


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What a figure or a curve is.

    least, most: what it cannot pass. absent: what to say where it cannot be had.
    """

    name: str
    title: str
    unit: str
    definition: str
    least: float = -np.inf
    most: float = np.inf
    absent: str = ""


NONE_HIGH = "No record ends in a vulnerable region."
PLANE = "plane units"
SPEED = "plane units per epoch"

AT = (
    Measure(
        name="displacement",
        title="Center-of-mass displacement",
        unit=PLANE,
        definition="distance of the mean (FPR, TPR) of all records from that at the first checkpoint",
        least=0.0,
        most=2**0.5,
    ),
    Measure(
        name="mean_advantage",
        title="Mean advantage",
        unit="",
        definition="mean over records of TPR - FPR",
        least=-1.0,
        most=1.0,
    ),
    Measure(
        name="high_share",
        title="Share of vulnerable records",
        unit="",
        definition="share of records in a vulnerable region",
        least=0.0,
        most=1.0,
    ),
    Measure(
        name="entropy",
        title="Spatial entropy",
        unit="bits",
        definition=f"Shannon entropy, base 2, of the records' histogram over {CELLS} x {CELLS} cells",
        least=0.0,
        most=2 * np.log2(CELLS),
    ),
    Measure(
        name="recall",
        title="Recall of the finally vulnerable",
        unit="",
        definition="of the records vulnerable at the end, the share vulnerable now",
        least=0.0,
        most=1.0,
        absent=NONE_HIGH,
    ),
    Measure(
        name="precision",
        title="Precision for the finally vulnerable",
        unit="",
        definition="of the records vulnerable now, the share vulnerable at the end",
        least=0.0,
        most=1.0,
        absent="No record is in a vulnerable region at this checkpoint.",
    ),
    Measure(
        name="jaccard",
        title="Jaccard index with the finally vulnerable",
        unit="",
        definition="vulnerable both now and at the end, over vulnerable now or at the end",
        least=0.0,
        most=1.0,
        absent=NONE_HIGH,
    ),
    Measure(
        name="top_overlap",
        title="Overlap of the most exposed tenth",
        unit="",
        definition="share of the final tenth by advantage that is in the tenth now; ties broken at random",
        least=0.0,
        most=1.0,
    ),
    Measure(
        name="rank_correlation",
        title="Rank correlation with the end",
        unit="",
        definition="Spearman correlation over records of the advantage now and at the end",
        least=-1.0,
        most=1.0,
        absent="All records have the same advantage.",
    ),
)

BETWEEN = (
    Measure(
        name="speed",
        title="Membership encoding speed",
        unit=SPEED,
        definition="mean over records of the distance moved, per epoch; holds the jitter of counts",
        least=0.0,
    ),
    Measure(
        name="signed_speed",
        title="Signed speed",
        unit="per epoch",
        definition="mean over records of the change of the advantage, per epoch; free of jitter",
    ),
    Measure(
        name="debiased_speed",
        title="Debiased speed",
        unit=SPEED,
        definition="root of the mean squared distance less what binomial jitter adds, per epoch",
        least=0.0,
    ),
    Measure(
        name="hazard",
        title="Hazard of becoming vulnerable",
        unit="per step",
        definition="of the records not vulnerable at a checkpoint, the share vulnerable at the next",
        least=0.0,
        most=1.0,
        absent="Every record was vulnerable before.",
    ),
    Measure(
        name="hazard_per_epoch",
        title="Hazard per epoch",
        unit="per epoch",
        definition="the constant hazard per epoch that adds up to that of the step",
        least=0.0,
        most=1.0,
        absent="Every record was vulnerable before.",
    ),
)

FIGURES = (
    Measure(
        name="displacement",
        title="Center-of-mass displacement",
        unit=PLANE,
        definition="distance of the mean (FPR, TPR) at the last checkpoint from that at the first",
        least=0.0,
        most=2**0.5,
    ),
    Measure(
        name="displacement_x1000",
        title="The same, times 1,000",
        unit="thousandths",
        definition="for comparison with a paper whose figures exceed the plane's diagonal",
        least=0.0,
        most=1000 * 2**0.5,
    ),
    Measure(
        name="mean_speed",
        title="Mean encoding speed",
        unit=SPEED,
        definition="time average of the membership encoding speed",
        least=0.0,
    ),
    Measure(
        name="peak_speed",
        title="Peak encoding speed",
        unit=SPEED,
        definition="the speed of the fastest step",
        least=0.0,
    ),
    Measure(
        name="mean_debiased_speed",
        title="Mean debiased speed",
        unit=SPEED,
        definition="time average of the debiased speed",
        least=0.0,
    ),
    Measure(
        name="peak_signed_speed",
        title="Peak signed speed",
        unit="per epoch",
        definition="the largest mean change of the advantage per epoch",
    ),
    Measure(
        name="peak_hazard",
        title="Peak hazard",
        unit="per step",
        definition="the largest hazard of becoming vulnerable from one checkpoint to the next",
        least=0.0,
        most=1.0,
    ),
    Measure(
        name="peak_hazard_per_epoch",
        title="Peak hazard per epoch",
        unit="per epoch",
        definition="the same, brought to one epoch",
        least=0.0,
        most=1.0,
    ),
    Measure(
        name="entropy_change",
        title="Change of spatial entropy",
        unit="bits",
        definition=f"entropy over {CELLS} x {CELLS} cells at the last checkpoint less that at the first",
    ),
    Measure(
        name="final_advantage",
        title="Final mean advantage",
        unit="",
        definition="mean over records of TPR - FPR at the last checkpoint",
        least=-1.0,
        most=1.0,
    ),
    Measure(
        name="final_high_share",
        title="Finally vulnerable records",
        unit="",
        definition="share of records in a vulnerable region at the last checkpoint",
        least=0.0,
        most=1.0,
    ),
    Measure(
        name="half_time",
        title="Half-time of the advantage",
        unit="epochs",
        definition="when the mean advantage first reaches half of its final value, interpolated",
        least=0.0,
        absent="The final mean advantage is not above 0.",
    ),
    Measure(
        name="known_70",
        title="70 % of the finally vulnerable known",
        unit="epochs",
        definition="first checkpoint with a recall of at least 70 %",
        least=0.0,
        absent=NONE_HIGH,
    ),
    Measure(
        name="early_recall",
        title="Recall at 30 % of training",
        unit="",
        definition="recall at the last checkpoint within the first 30 % of the epochs",
        least=0.0,
        most=1.0,
        absent=NONE_HIGH,
    ),
    Measure(
        name="early_precision",
        title="Precision at 30 % of training",
        unit="",
        definition="precision at the same checkpoint",
        least=0.0,
        most=1.0,
        absent="No record is in a vulnerable region at that checkpoint.",
    ),
    Measure(
        name="early_rank_correlation",
        title="Rank correlation at 30 % of training",
        unit="",
        definition="Spearman correlation of the advantage at the same checkpoint and at the end",
        least=-1.0,
        most=1.0,
    ),
    Measure(
        name="median_first_entry",
        title="Median first entry",
        unit="epochs",
        definition="over the finally vulnerable, the median epoch of their first checkpoint as such",
        absent=NONE_HIGH,
    ),
    Measure(
        name="median_last_entry",
        title="Median last entry",
        unit="epochs",
        definition="over the finally vulnerable, the median epoch from which they stayed so",
        absent=NONE_HIGH,
    ),
)
