"""Every defense by name, and lists of defenses that were compared before."""

from vestige.defenses.confidence_penalty import ConfidencePenalty
from vestige.defenses.crl import CRL
from vestige.defenses.cutout import CutoutDefense
from vestige.defenses.cwrf import CWRF
from vestige.defenses.defense import Defense
from vestige.defenses.distillation import Distillation
from vestige.defenses.disturb_label import DisturbLabel
from vestige.defenses.dp_sgd import DPSGDDefense
from vestige.defenses.dropout import Dropout, SpatialDropout
from vestige.defenses.early_stopping import EarlyStopping
from vestige.defenses.gaussian_noise import GaussianNoiseDefense
from vestige.defenses.label_smoothing import LabelSmoothing
from vestige.defenses.logit_reweighting import LogitReweightingDefense
from vestige.defenses.mixup import MixupDefense
from vestige.defenses.pptp import PPTP
from vestige.defenses.pre_identification import PreIdentification
from vestige.defenses.random_crop import RandomCropDefense
from vestige.defenses.relax_loss import RelaxLossDefense
from vestige.defenses.selena import Selena
from vestige.defenses.weight_decay import WeightDecay

_ALL: tuple[type[Defense], ...] = (
    LabelSmoothing,
    DisturbLabel,
    Distillation,
    Selena,
    ConfidencePenalty,
    RelaxLossDefense,
    CRL,
    MixupDefense,
    GaussianNoiseDefense,
    RandomCropDefense,
    CutoutDefense,
    Dropout,
    SpatialDropout,
    WeightDecay,
    EarlyStopping,
    PreIdentification,
    DPSGDDefense,
    PPTP,
    CWRF,
    LogitReweightingDefense,
)
DEFENSES = {defense.name: defense for defense in _ALL}

# Kaya, Hong and Dumitras 2020 compare eight mechanisms, of which only label smoothing is certain here: the
# other seven are a reconstruction. Those of Kaya and Dumitras 2021 are certain. Values: few of each grid,
# near those that the 2021 study selects for images of 28 or 32 pixels.
PRESETS: dict[str, tuple[str, ...]] = {
    "kaya2020": (
        "distillation:2", "distillation:50",
        "dropout:0.3", "dropout:0.5", "dropout:0.8",
        "gaussian_noise:0.025", "gaussian_noise:0.1", "gaussian_noise:0.275",
        "random_crop:4", "random_crop:14", "random_crop:24",
        "label_smoothing:0.1", "label_smoothing:0.5", "label_smoothing:0.9",
        "weight_decay:0.0001", "weight_decay:0.001", "weight_decay:0.01",
        "early_stopping:7", "early_stopping:4", "early_stopping:3",
        "dp_sgd:noise=0.025/delta=1e-5", "dp_sgd:noise=0.25/delta=1e-5", "dp_sgd:noise=1/delta=1e-5",
    ),
    "kaya2021": (
        "dp_sgd:noise=0.025/delta=1e-5", "dp_sgd:noise=0.25/delta=1e-5", "dp_sgd:noise=1/delta=1e-5",
        "distillation:2", "distillation:50", "distillation:500",
        "label_smoothing:0.2", "label_smoothing:0.5", "label_smoothing:0.9",
        "disturb_label:0.1", "disturb_label:0.4", "disturb_label:0.725",
        "random_crop:4", "random_crop:14", "random_crop:24",
        "cutout:8", "cutout:20", "cutout:36",
        "gaussian_noise:0.025", "gaussian_noise:0.1", "gaussian_noise:0.275",
        "mixup:1", "mixup:64", "mixup:256",
    ),
}  # fmt: skip
