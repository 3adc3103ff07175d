"""Verbs that take every option of `vestige audit` and some of their own."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from vestige.cli.audit import audit

Verb = TypeVar("Verb", bound=Callable[..., None])


def like_audit(**own: Any) -> Callable[[Verb], Verb]:
    """Give a verb the parameters of `vestige audit`, and its own after the data set, so that no option is
    written down twice.

    own: name and (annotation, default) of each; one that the audit has as well replaces it.
    """

    def dressed(verb: Verb) -> Verb:
        first, *rest = inspect.signature(audit).parameters.values()
        added = [_parameter(name, *pair) for name, pair in own.items()]
        parameters = [first, *added, *(p for p in rest if p.name not in own)]
        signature = inspect.Signature(parameters)
        verb.__signature__ = signature  # pyright: ignore[reportFunctionMemberAccess]
        verb.__annotations__ = _annotations(signature.parameters)
        return verb

    return dressed


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation
    )


def _annotations(parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    return {name: parameter.annotation for name, parameter in parameters.items()}
