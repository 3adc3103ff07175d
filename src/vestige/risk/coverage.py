"""Which families of attack were tried, and which were not."""

from dataclasses import dataclass

# Identifiers of the taxonomy in NIST AI 100-2 E2025, "Adversarial Machine Learning".
MEMBERSHIP, RECONSTRUCTION, PROPERTY, EXTRACTION = "NISTAML.033", "NISTAML.032", "NISTAML.034", "NISTAML.031"


@dataclass(frozen=True, kw_only=True)
class CoverageRow:
    """One family of attack: tested with what, or not tested because of what."""

    family: str
    tested: bool
    detail: str
    nist: str


_REFERENCE_FREE = ("loss", "confidence", "entropy", "modified-entropy", "attack-p")

_NOT_TESTED = (
    ("Membership of a whole person or group of records", "each record is judged by itself", MEMBERSHIP),
    ("Membership from answers without confidences (labels only)", "not built into this audit", MEMBERSHIP),
    (
        "Membership by altered or planted training data (poisoning)",
        "the attacker does not touch training",
        MEMBERSHIP,
    ),
    ("Reconstruction of training records, model inversion", "not built into this audit", RECONSTRUCTION),
    ("Properties of the training set as a whole", "not built into this audit", PROPERTY),
    ("Attributes of a known record", "not built into this audit", ""),
    ("Stealing the model itself", "not a question of the training data", EXTRACTION),
)


def coverage(attacks: tuple[str, ...], augmentations: int, checkpoints: int) -> tuple[CoverageRow, ...]:
    """Every family of attack, tested or not; the list of families is itself not complete.

    attacks: names of the attacks that were run.
    """
    free = [a for a in attacks if a.startswith(_REFERENCE_FREE)]
    trained = [a for a in attacks if a not in free]
    rows = [
        _row("Membership from one model's answers alone", free, "no such attack was chosen"),
        _row("Membership with reference models", trained, "no such attack was chosen"),
        CoverageRow(
            family="Membership from answers to several altered copies of a record",
            tested=augmentations > 1,
            detail=f"{augmentations} copies of each record" if augmentations > 1 else "one query per record",
            nist=MEMBERSHIP,
        ),
        CoverageRow(
            family="Membership at intermediate checkpoints",
            tested=checkpoints > 1,
            detail=f"{checkpoints} checkpoints" if checkpoints > 1 else "one checkpoint is on record",
            nist=MEMBERSHIP,
        ),
    ]
    missing = [CoverageRow(family=f, tested=False, detail=why, nist=nist) for f, why, nist in _NOT_TESTED]
    return (*rows, *missing)


def _row(family: str, attacks: list[str], otherwise: str) -> CoverageRow:
    return CoverageRow(
        family=family,
        tested=bool(attacks),
        detail=", ".join(attacks) if attacks else otherwise,
        nist=MEMBERSHIP,
    )
