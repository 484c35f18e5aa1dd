"""The flags that every command shares, and the settings they amount to."""

from __future__ import annotations

import inspect
import os
import sys
import warnings
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from ...core import MalformedTask, NothingFound, Settings, SettingsError, tenant_name
from ..console import complain
from ..settings_loader import load_settings, values_in_file

NAMES_A_CLASS = ("memory.encoder", "memory.store", "model.engine", "wake.strategy")
"""Settings that take `module:Class`."""
DEFAULT_FILE = Path("lifelong.toml")
"""Read where it lies in the current folder; need not be there."""

REDIRECTING = {
    "home": "where everything is kept",
    "model.name": "which model answers",
    "model.engine": "which code runs the model",
    "model.url": "where prompts are sent",
    "model.api_key_variable": "which secret goes with them",
    "model.reflector_url": "where past runs are sent",
    "model.reflector_api_key_variable": "which secret goes with those",
    "memory.encoder": "which code reads texts",
}
"""Settings that decide who sees prompts or which code runs, and what each decides; a file that sets one says so."""


def text_of(value: str | None) -> str | None:
    """Text from the command line, read as UTF-8 whatever the locale. Raises `typer.BadParameter` for bytes that are no text."""
    if value:
        try:
            return os.fsencode(value).decode("utf-8") if _has_raw_bytes(value) else value
        except UnicodeError:
            raise typer.BadParameter("this is not UTF-8 text; check the terminal's encoding") from None
    return value


def _has_raw_bytes(value: str) -> bool:
    """Whether Python could not decode some bytes of an argument under the locale, and kept them as lone surrogates."""
    return any("\ud800" <= character <= "\udfff" for character in value)


def tenant_of(value: str | None) -> str | None:
    """The one spelling of a tenant's name from the command line. Raises `typer.BadParameter` for one that is none."""
    value = text_of(value)
    try:
        return tenant_name(value) if value else value
    except MalformedTask as error:
        raise typer.BadParameter(str(error)) from None


def required_tenant(value: str) -> str:
    """As `tenant_of`, where a tenant must be named. Raises `typer.BadParameter`."""
    if not value:
        raise typer.BadParameter("the tenant's name is empty; leave the flag out for the tenant 'default'")
    return tenant_of(value) or value


ConfigFlag: TypeAlias = Annotated[Path | None, typer.Option("--config", help="Settings file; lifelong.toml here unless named.")]
HomeFlag: TypeAlias = Annotated[Path | None, typer.Option("--home", help="Where record, index and adapters live; .lifelong unless set.")]
SetFlag: TypeAlias = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="One setting, such as sleep.rank=8.")]
SeedFlag: TypeAlias = Annotated[int | None, typer.Option("--seed", help="Seed of everything that draws.")]
DataFlag: TypeAlias = Annotated[Path | None, typer.Option("--data", envvar="LIFELONG_DATA", help="Directory of the data sets.")]
TenantFlag: TypeAlias = Annotated[str, typer.Option("--tenant", callback=required_tenant, help="Whose record it is.")]
JsonFlag: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def import_from_here(*values: str) -> None:
    """Let classes be imported from the folder one stands in, where a flag names one as `module:Class`; as `python -m` does.

    Only what is typed on the command line can do this: a settings file names what is installed.
    """
    here = os.getcwd()
    if any(":" in value for value in values) and here not in sys.path:
        sys.path.insert(0, here)


def read_settings(config: Path | None, home: Path | None, assignments: list[str] | None, seed: int | None = None) -> Settings:
    """Settings from file, environment and these flags; says on standard error what a file found in the current folder decides.

    Raises `SettingsError`.
    """
    overrides: dict[str, Any] = {}
    import_from_here(*(one for one in assignments or [] if one.partition("=")[0].strip() in NAMES_A_CLASS))
    for assignment in assignments or []:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SettingsError(f"--set {assignment!r} must read NAME=VALUE, such as sleep.rank=8")
        overrides[name.strip()] = value.strip()
    overrides |= {name: value for name, value in (("home", home), ("seed", seed)) if value is not None}
    file = config or _file_found_here()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FutureWarning)
        settings = load_settings(file, os.environ, overrides)
    for text in dict.fromkeys(str(one.message) for one in caught):
        complain(text)
    if config is None and file is not None:
        complain(_announcement(file))
    return settings


def takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """A command that takes `settings`, as one with the flags `--config`, `--home` and `--set`, which they are read from."""
    signature = inspect.signature(command, eval_str=True)
    own = [one for one in signature.parameters.values() if one.name != "settings"]
    flags = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=flag)
        for name, flag in (("config", ConfigFlag), ("home", HomeFlag), ("set_", SetFlag))
    ]

    @wraps(command)
    def run(config: Path | None, home: Path | None, set_: list[str] | None, **given: Any) -> None:
        command(settings=read_settings(config, home, set_), **given)

    run.__signature__ = signature.replace(parameters=[*own, *flags])  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in [*own, *flags]}
    return run


def existing_home(settings: Settings) -> Settings:
    """The same settings. Raises `NothingFound` where there is no record in their home, so that no command makes one by mistake."""
    record_file(settings.home)
    return settings


def record_file(home: Path) -> Path:
    """The record's file under `home`. Raises `NothingFound` where there is none, instead of making one."""
    file = home / "record.sqlite3"
    if not file.is_file():
        raise NothingFound(f"there is no record at {file}; name its folder with --home, or make one with `lifelong run`")
    return file


def _file_found_here() -> Path | None:
    """`lifelong.toml` of the current folder, unless somebody else may have written it."""
    if not DEFAULT_FILE.exists():
        return None
    found = DEFAULT_FILE.stat()
    if hasattr(os, "geteuid") and found.st_uid not in (os.geteuid(), 0):
        complain(f"{DEFAULT_FILE.resolve()} belongs to another user and is passed over; name it with --config to use it")
        return None
    if os.name == "posix" and found.st_mode & 0o002:
        complain(f"{DEFAULT_FILE.resolve()} can be written by every user and is passed over; name it with --config to use it")
        return None
    return DEFAULT_FILE


def _announcement(file: Path) -> str:
    decided = [f"{name} ({REDIRECTING[name]})" for name in values_in_file(file) if name in REDIRECTING]
    return f"settings from {file.resolve()}" + (f", which sets {', '.join(decided)}" if decided else "")
