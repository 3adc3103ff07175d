"""A defense of the user's own, named as package.module:function."""

from dataclasses import dataclass

from vestige.core import imports
from vestige.core.errors import InputError
from vestige.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class OwnDefense:
    """What the user's function, Recipe to Recipe, makes of a recipe; a content hash sees what it returns."""

    reference: str

    @property
    def name(self) -> str:
        """The function's name as it was given."""
        return self.reference

    def __call__(self, recipe: Recipe) -> Recipe:
        """What the function returns. Raises InputError if it fails or returns no Recipe."""
        function = imports.resolve(self.reference)
        try:
            found = function(recipe)
        except InputError:
            raise
        except Exception as error:
            raise InputError(f"defense {self.reference}: the function failed with {error!r}") from error
        if not isinstance(found, Recipe):
            raise InputError(
                f"defense {self.reference} returned a {type(found).__name__}; return a vestige Recipe"
            )
        return found
