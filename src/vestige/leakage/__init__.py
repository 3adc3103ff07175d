"""Membership leakage in nats, its bounds, and the adversary they limit."""

from vestige.leakage.certified import Certified, ProvenAt, certified
from vestige.leakage.descent import Descent, divergence_curve, linear_descent, noisy_descent
from vestige.leakage.ensemble import gaussian_ensemble
from vestige.leakage.entropy import NATS_PER_BIT, binary_entropy, binary_kl, inverse_binary_entropy
from vestige.leakage.expansion import principal_components, relu_features
from vestige.leakage.fisher import (
    Reweighting,
    fisher_information,
    fisher_information_loss,
    influence_jacobians,
    reweight,
    sigma_for,
)
from vestige.leakage.gibbs import LossGap, gibbs_ridge, loss_gap
from vestige.leakage.leakage import Leakage
from vestige.leakage.limits import (
    advantage_limit,
    bretagnolle_huber,
    fano,
    hellman_raviv,
    max_tpr,
    pinsker,
    stein_exponent,
)
from vestige.leakage.logistic_regression import logistic, logistic_fit
from vestige.leakage.neighbors import neighbor_ensemble
from vestige.leakage.normal_pair import normal_pair
from vestige.leakage.private import (
    analytic_shift,
    classical_shift,
    dp_sgd_leakage,
    private_advantage,
    private_kl,
    private_noise,
    private_shift,
)
from vestige.leakage.randomness import (
    GaussianOutput,
    Gibbs,
    NoisyGradientDescent,
    RandomSubset,
    SeedEnsemble,
)
from vestige.leakage.renyi import (
    FromScores,
    Histogram,
    arimoto_of_scores,
    arimoto_shift,
    renyi_of_scores,
    renyi_private,
    renyi_shift,
)
from vestige.leakage.retraining import Validation, validate
from vestige.leakage.ridge_regression import ridge, ridge_fit
from vestige.leakage.sensitivity import Sensitivity, linear_sensitivity, worst_case_kl
from vestige.leakage.shift import gaussian_auc, gaussian_kl, gaussian_shift, gaussian_stein, gaussian_tpr
from vestige.leakage.slope import Slope, log_log_slope
from vestige.leakage.softmax_model import softmax_fit
from vestige.leakage.softmax_regression import softmax
from vestige.leakage.subset import SubsetLeakage, random_subset

__all__ = [
    "NATS_PER_BIT",
    "Certified",
    "Descent",
    "FromScores",
    "GaussianOutput",
    "Gibbs",
    "Histogram",
    "Leakage",
    "LossGap",
    "NoisyGradientDescent",
    "ProvenAt",
    "RandomSubset",
    "Reweighting",
    "SeedEnsemble",
    "Sensitivity",
    "Slope",
    "SubsetLeakage",
    "Validation",
    "advantage_limit",
    "analytic_shift",
    "arimoto_of_scores",
    "arimoto_shift",
    "binary_entropy",
    "binary_kl",
    "bretagnolle_huber",
    "certified",
    "classical_shift",
    "divergence_curve",
    "dp_sgd_leakage",
    "fano",
    "fisher_information",
    "fisher_information_loss",
    "gaussian_auc",
    "gaussian_ensemble",
    "gaussian_kl",
    "gaussian_shift",
    "gaussian_stein",
    "gaussian_tpr",
    "gibbs_ridge",
    "hellman_raviv",
    "influence_jacobians",
    "inverse_binary_entropy",
    "linear_descent",
    "linear_sensitivity",
    "log_log_slope",
    "logistic",
    "logistic_fit",
    "loss_gap",
    "max_tpr",
    "neighbor_ensemble",
    "noisy_descent",
    "normal_pair",
    "pinsker",
    "principal_components",
    "private_advantage",
    "private_kl",
    "private_noise",
    "private_shift",
    "random_subset",
    "relu_features",
    "renyi_of_scores",
    "renyi_private",
    "renyi_shift",
    "reweight",
    "ridge",
    "ridge_fit",
    "sigma_for",
    "softmax",
    "softmax_fit",
    "stein_exponent",
    "validate",
    "worst_case_kl",
]
