"""Environments by name: built in, from an installed package, or a class of one's own as `module:Class`."""

from __future__ import annotations

import inspect
from pathlib import Path

from ..core import DataMissing, PluginError
from ..core.paths import AnyPath
from ..core.plugins import create, names, resolve
from ..core.versions import newest
from .environment import Environment


def make_environment(name: str, data: AnyPath | None = None) -> Environment:
    """The environment of an id, of a name without its version (the newest), or of `module:Class`.

    A member that has a parameter `data` is given the data directory. Raises `PluginError` for what is there not or is no
    environment, `DataMissing` where a member needs a data directory and there is none.
    """
    name = newest(name, names("environments"))
    if data is None and needs_data(name):
        raise DataMissing(f"environment {name} reads a data directory; name it with --data or LIFELONG_DATA")
    environment = create("environments", name, **({} if data is None else {"data": Path(data)}))
    if not isinstance(environment, Environment):
        wanted = [one for one in ("id", "max_steps", "max_answer_tokens", *_verbs()) if not hasattr(environment, one)]
        raise PluginError(f"environment {name!r} has no {', '.join(wanted)}; lifelong.checks.check_environment says what it must fulfil")
    return environment


def make_all(data: AnyPath | None = None) -> dict[str, Environment]:
    """Every environment that is built in or installed, by id; without a data directory those that need none."""
    made = [make_environment(name, data) for name in names("environments") if data is not None or not needs_data(name)]
    return {environment.id: environment for environment in made}


def needs_data(name: str) -> bool:
    """Whether a member cannot be made without a data directory."""
    member = resolve("environments", name)
    parameter = inspect.signature(member).parameters.get("data") if callable(member) else None
    return parameter is not None and parameter.default is parameter.empty


def _verbs() -> list[str]:
    return sorted(name for name, value in vars(Environment).items() if callable(value) and not name.startswith("_"))
