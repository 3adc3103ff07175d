"""What was audited, against whom, and how to do it again."""

from dataclasses import dataclass

NOT_SUPPLIED = "not supplied"


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of a table: a name and its value, as text."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What was audited, and in which form the report is.

    date: ISO 8601, UTC. edition: "internal" shows single records.
    """

    title: str
    model: str
    dataset: str
    samples: int
    classes: int
    checkpoint: str
    date: str
    tool_version: str
    operator: str = NOT_SUPPLIED
    reviewer: str = NOT_SUPPLIED
    release_context: str = NOT_SUPPLIED
    edition: str = "internal"


@dataclass(frozen=True, kw_only=True)
class Attacker:
    """Who the attack stands for, what it cost, and where it differs from a real attacker.

    harsher, milder: in what the test goes beyond, or stays behind, a real attacker.
    """

    summary: str
    access: str
    knowledge: str
    cost: tuple[Fact, ...]
    harsher: tuple[str, ...]
    milder: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """The accuracy of the models on one part of the data: over models, as fractions of 1."""

    part: str
    models: int
    mean: float
    sd: float | None
    minimum: float
    maximum: float


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How to repeat the audit."""

    command: str
    python_call: str
    seeds: tuple[Fact, ...]
    versions: tuple[Fact, ...]
    hashes: tuple[Fact, ...]
    timings: tuple[Fact, ...]


def online_attacker(
    models: int, references: int, cost: tuple[Fact, ...] = (), together: tuple[str, ...] = ()
) -> Attacker:
    """The attacker of an audit with reference models, and what sets that attacker apart from a real one.

    together: the attacks, by name, that take all candidates together.
    """
    also = (
        f" Of {', '.join(together)} alone: asks about all candidates, the whole training set among them, and "
        "judges each by who else seems to be a member."
        if together
        else ""
    )
    others = f", but for {', '.join(together)}" if together else ""
    return Attacker(
        summary="an outsider who can query the model and has trained reference models",
        access="Queries the released model and reads its confidences for a record and its label.",
        knowledge=(
            f"Holds the candidate records with their labels and {references} reference models, trained by "
            "the same recipe on records drawn from the same pool; about half of them saw each candidate."
            + also
        ),
        cost=(Fact(name="Models trained", value=f"{models:,}"), *cost),
        harsher=(
            "The attacker knows the training recipe exactly.",
            "The attacker holds the very records, with labels, in the form used for training.",
            "Half of the candidates are members. In practice members may be rare among candidates.",
            "Reference models come from the same pool of records as the target.",
        ),
        milder=(
            "The attacker reads confidences only, not weights, gradients or earlier checkpoints.",
            f"The attacker does not alter training data and judges each record by itself{others}.",
            "A real attacker may train more reference models, or use a better attack than those known today.",
        ),
    )
