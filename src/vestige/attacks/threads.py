"""How many threads matrix products take while an attack scores."""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def single() -> AbstractContextManager[object]:
    """One thread, as long as this is entered.

    NumPy and SciPy each bring threads of their own, which wait for work by spinning. An attack turns from
    one to the other, so that either's threads take the processor from the other's: on two cores a joint
    attack takes twice as long with two threads as with one.
    """
    return _controller().limit(limits=1, user_api="blas")


@cache
def _controller() -> ThreadpoolController:
    """Looks through all loaded libraries, so it is made once."""
    return ThreadpoolController()
