"""What a caller may give where numbers are wanted."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from numpy.typing import ArrayLike

# numpy's own name says int and float by naming complex alone, which a checker at run time takes at its word
Numbers: TypeAlias = ArrayLike | Sequence[Any] | int | float
