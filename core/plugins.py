"""Extension points: what a name in a setting or on the command line stands for.

A name is a built-in member, a member that an installed package adds through an entry point of the group `lifelong.<point>`,
or the member itself as `module:Class`. Where two share a name, the built-in one is meant; a name without its version (`database` for
`database-v1`) means the newest.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from .errors import PluginError
from .versions import newest

Point = Literal["encoders", "engines", "environments", "heads", "scorers", "stores", "strategies", "suites"]

PACKAGES: Mapping[Point, str] = {
    "encoders": "perception.encoders",
    "engines": "serving",
    "environments": "envs",
    "heads": "learners.heads",
    "scorers": "perception.scores",
    "stores": "memory",
    "strategies": "agents.strategies",
    "suites": "evals",
}
"""The package that holds the built-in members of each point, as `MEMBERS`: a name, and `module:object` relative to the package."""

ROOT = __name__.rpartition(".core.")[0]


def names(point: Point) -> tuple[str, ...]:
    """Every name that may be given besides `module:Class`: built-in members first, then those of installed packages."""
    return tuple(dict.fromkeys([*_built_in(point), *sorted(_installed(point))]))


def check_name(point: Point, name: str, what: str) -> None:
    """Refuse a name that stands for nothing, without importing what it stands for.

    Raises `PluginError` that names `what` was given (such as `memory.encoder`) and what may be given.
    """
    if not _is_path(name) and newest(name, names(point)) not in names(point):
        raise PluginError(f"{what} is {name!r}; it must be one of {', '.join(names(point))}, or a class of your own as module:Class")


def resolve(point: Point, name: str) -> Any:
    """What a name stands for, imported and not called.

    Raises `PluginError` for a name that stands for nothing and for a member that cannot be imported.
    """
    check_name(point, name, f"the {_noun(point)}")
    name = name if _is_path(name) else newest(name, names(point))
    member = _built_in(point).get(name)
    if member is not None and not isinstance(member, str):
        return member
    try:
        if member is not None:
            return _imported(f"{ROOT}.{PACKAGES[point]}", member)
        entry = None if _is_path(name) else _installed(point)[name]
        return (entry or EntryPoint(name, name, f"{ROOT}.{point}")).load()
    except Exception as error:  # a member of others may raise anything while it is imported
        raise PluginError(f"the {_noun(point)} {name!r} cannot be imported: {type(error).__name__}: {error}") from error


def create(point: Point, name: str, **offered: Any) -> Any:
    """Call what a name stands for with those of the offered arguments that its signature names.

    So a class takes what it needs and no more: `def __init__(self)`, `def __init__(self, *, seed)`, `def __init__(self, **options)`.
    Raises as `resolve` does, and `PluginError` for what cannot be called with these arguments.
    """
    member = resolve(point, name)
    if not callable(member):
        raise PluginError(f"the {_noun(point)} {name!r} is {member!r}; it must be a class or a function that makes one")
    parameters = inspect.signature(member).parameters.values()
    # A class that inherits from a protocol and has no `__init__` shows one that seems to take anything, and takes nothing.
    if getattr(getattr(member, "__init__", None), "__module__", "") == "typing":
        offered = {}
    if not any(one.kind is one.VAR_KEYWORD for one in parameters):
        offered = {one.name: offered[one.name] for one in parameters if one.name in offered and one.kind is not one.POSITIONAL_ONLY}
    try:
        inspect.signature(member).bind(**offered)
    except TypeError as error:
        known = ", ".join(offered) or "no arguments"
        raise PluginError(f"the {_noun(point)} {name!r} cannot be made with {known}: {error}") from error
    return member(**offered)


def load_table(package: str, table: Mapping[str, str]) -> list[Any]:
    """What the lines of a package's own table stand for, imported and not called, in their order."""
    return [_imported(package, member) for member in table.values()]


def _imported(package: str, member: str) -> Any:
    module, _, attribute = member.partition(":")
    return getattr(import_module(f".{module}", package), attribute)


def _noun(point: Point) -> str:
    return "strategy" if point == "strategies" else point.removesuffix("s")


def _is_path(name: str) -> bool:
    module, colon, attribute = name.partition(":")
    return bool(colon) and all(part.isidentifier() for part in [*module.split("."), *attribute.split(".")])


def _built_in(point: Point) -> Mapping[str, Any]:
    members: Mapping[str, Any] = import_module(f"{ROOT}.{PACKAGES[point]}").MEMBERS
    return members


def _installed(point: Point) -> dict[str, EntryPoint]:
    return _found(point, tuple(sys.path))


@cache
def _found(point: Point, path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """Of the packages on the import path: to read their metadata takes milliseconds, and settings are checked on every request."""
    return {entry.name: entry for entry in entry_points(group=f"{ROOT}.{point}")}
