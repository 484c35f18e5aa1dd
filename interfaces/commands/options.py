"""The flags that every command shares, and the settings they amount to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from ...core import Settings, SettingsError
from ..settings_loader import load_settings

DEFAULT_FILE = Path("lifelong.toml")
"""Read where it lies in the folder one stands in; need not be there."""

ConfigFlag: TypeAlias = Annotated[Path | None, typer.Option("--config", help="Settings file; lifelong.toml here unless named.")]
HomeFlag: TypeAlias = Annotated[Path | None, typer.Option("--home", help="Where record, index and adapters live; .lifelong unless set.")]
SetFlag: TypeAlias = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="One setting, such as sleep.rank=8.")]
SeedFlag: TypeAlias = Annotated[int | None, typer.Option("--seed", help="Seed of everything that draws.")]
DataFlag: TypeAlias = Annotated[Path | None, typer.Option("--data", envvar="LIFELONG_DATA", help="Directory of the data sets.")]
TenantFlag: TypeAlias = Annotated[str, typer.Option("--tenant", help="Whose record it is.")]


def read_settings(config: Path | None, home: Path | None, assignments: list[str] | None, seed: int | None = None) -> Settings:
    """Settings from file, environment and these flags. Raises `SettingsError`."""
    overrides: dict[str, Any] = {}
    for assignment in assignments or []:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise SettingsError(f"--set {assignment!r} must read NAME=VALUE, such as sleep.rank=8")
        overrides[name.strip()] = value.strip()
    overrides |= {name: value for name, value in (("home", home), ("seed", seed)) if value is not None}
    file = config or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    return load_settings(file, os.environ, overrides)
