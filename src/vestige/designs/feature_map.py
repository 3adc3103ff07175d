"""Features of a linear model by their written form."""

from dataclasses import dataclass

from vestige.core import check
from vestige.core.errors import InputError, unknown_name
from vestige.models.catalog import ModelSpec

KINDS = ("raw", "pca", "relu", "network")


@dataclass(frozen=True, kw_only=True)
class FeatureMap:
    """What a linear model sees of a record.

    kind: raw inputs; pca, coordinates along the directions of largest variance; relu, random ReLU features;
    network, the inputs of the last layer of a network that was trained on other records.
    number: of directions or random features; for a network, of the records that it is trained on.
    architecture: of the network, by name.
    """

    kind: str
    number: int = 0
    architecture: str = ""

    @property
    def trained_on(self) -> int:
        """Records that the features are learned from and that are then not measured."""
        return self.number if self.kind == "network" else 0


def features_from(text: str) -> FeatureMap:
    """The features written as raw, pca:K, relu:K or network:ARCHITECTURE@ROWS.

    Raises InputError for anything else.
    """
    kind, _, rest = text.partition(":")
    if kind not in KINDS:
        raise unknown_name("features", text, ("raw", "pca:10", "relu:100", "network:mlp-128-relu@2000"))
    if kind == "raw" and not rest:
        return FeatureMap(kind=kind)
    architecture, at, number = rest.rpartition("@") if kind == "network" else ("", "@", rest)
    if kind == "raw" or not at or not number.isdecimal() or (kind == "network" and not architecture):
        raise InputError(
            f"features={text!r} must be raw, pca:K, relu:K or network:ARCHITECTURE@ROWS, for example "
            "pca:10 or network:mlp-128-relu@2000"
        )
    check.at_least(f"{'rows' if kind == 'network' else 'number'} of features={text!r}", int(number), 1)
    if architecture:
        ModelSpec(architecture)
    return FeatureMap(kind=kind, number=int(number), architecture=architecture)
