"""Every attack by name, with its default options."""

from vestige.attacks.hierarchical import Hierarchical
from vestige.attacks.joint import Joint
from vestige.attacks.lira import LiRA
from vestige.attacks.population import AttackP
from vestige.attacks.protocol import Attack
from vestige.attacks.reference import AttackR, CalibratedLoss
from vestige.attacks.rmia import BASE, RMIA
from vestige.attacks.strongest import Vestige
from vestige.attacks.student_t import StudentT
from vestige.attacks.threshold import Confidence, Entropy, Loss
from vestige.core.errors import unknown_name

ATTACKS: dict[str, Attack] = {
    attack.name: attack
    for attack in (
        Loss(),
        Loss(per_class=True),
        Confidence(),
        Entropy(),
        Entropy(modified=True),
        AttackP(),
        AttackR(),
        CalibratedLoss(),
        LiRA(variance="per-sample"),
        LiRA(),
        LiRA(online=False, variance="per-sample"),
        LiRA(online=False),
        RMIA(),
        RMIA(online=False),
        BASE(),
        BASE(online=False),
        StudentT(),
        Hierarchical(),
        Joint(),
        Joint(kernel="embeddings"),
        Vestige(),
    )
}

DEFAULT = "vestige"  # of a call that names no attack
HEADLINE = "lira-online-fixed"  # places samples on the plane at every checkpoint
BESIDE = (HEADLINE, "student-t", "base-online")  # whatever attack takes all candidates together
DEFAULT_SET = (HEADLINE, "lira-online", "rmia-online", "base-online", "student-t", "loss")


def by_name(name: str) -> Attack:
    """The attack of that name with its default options. Raises InputError that suggests neighbors."""
    if name not in ATTACKS:
        raise unknown_name("attack", name, ATTACKS)
    return ATTACKS[name]
