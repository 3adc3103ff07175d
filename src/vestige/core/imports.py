"""A user's own code, named as "package.module:function"."""

import hashlib
import importlib
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from vestige.core.errors import InputError, unknown_name

EXAMPLE = "write package.module:function, as in my_models:small_net"


def is_reference(name: str) -> bool:
    """Whether a name is meant as package.module:function."""
    return ":" in name


def resolve(name: str) -> Callable[..., Any]:
    """The function that "package.module:function" names; modules of the current directory come first.

    Raises InputError when the name has another form, the module cannot be found or imported, or it has
    no such function.
    """
    module_name, _, path = name.partition(":")
    words = [*module_name.split("."), *path.split(".")]
    if module_name.endswith(".py") or not all(word.isidentifier() for word in words):
        looks_like_a_file = ".py" in name or "/" in name
        hint = "a file is named without .py and with dots for slashes" if looks_like_a_file else EXAMPLE
        raise InputError(f"{name!r} is not of the form package.module:function; {hint}")
    found: Any = _module(module_name)
    for word in path.split("."):
        if not hasattr(found, word):
            raise unknown_name(f"function in {module_name}", word, _public_names(found))
        found = getattr(found, word)
    if not callable(found):
        raise InputError(f"{name!r} is a {type(found).__name__}, not a function; {EXAMPLE}")
    return found


def name_of(function: Callable[..., Any]) -> str:
    """The "package.module:function" under which another process finds the same function.

    Raises InputError for a lambda, a nested function or an instance, which no name leads back to.
    """
    name = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"
    found: Any = sys.modules.get(name.partition(":")[0])
    for word in name.partition(":")[2].split("."):
        found = getattr(found, word, None)
    if found is not function:
        raise InputError(
            f"{function!r} has no importable name; define it with def at the top level of a module"
        )
    return name


def source_digest(function: Callable[..., Any]) -> str:
    """40 hexadecimal digits that change when the file that defines the function changes.

    Files that this file imports, and values captured by a closure, are not part of it. A function typed
    into a shell is known by its byte code.
    """
    target: Any = inspect.unwrap(function)
    if not (inspect.isroutine(target) or inspect.isclass(target)):
        target = cast(Any, type(target))
    digest = hashlib.blake2b(getattr(target, "__qualname__", "").encode(), digest_size=20)
    try:
        digest.update(Path(inspect.getfile(target)).read_bytes())
    except (OSError, TypeError):
        digest.update(_byte_code(target))
    return digest.hexdigest()


def _public_names(module: Any) -> list[str]:
    return [name for name in dir(module) if not name.startswith("_")]


def _byte_code(function: Any) -> bytes:
    code = getattr(function, "__code__", None)
    if code is None:
        return b""
    constants = [c for c in code.co_consts if not inspect.iscode(c)]  # a code object prints its address
    return code.co_code + repr((code.co_names, constants)).encode()


def _module(name: str) -> ModuleType:
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _broken(name, error) from error
        raise InputError(
            f"module {error.name!r} is not found, neither in {folder} nor among the installed packages; "
            "run from the folder that holds it, or set PYTHONPATH"
        ) from error
    except Exception as error:
        raise _broken(name, error) from error


def _broken(name: str, error: Exception) -> InputError:
    return InputError(
        f"module {name!r} fails on import: {type(error).__name__}: {error}; try python -c 'import {name}'"
    )
