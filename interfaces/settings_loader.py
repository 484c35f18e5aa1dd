"""Settings from a TOML file, then the environment, then flags: the later one wins, and all are checked by name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from ..core import Settings, SettingsError
from ..core.paths import AnyPath

PREFIX = "LIFELONG_"
NOT_SETTINGS = frozenset({"CACHE", "DEBUG", "DATA", "PYTHON", "TORCH_INDEX", "VLLM_PYTHON"})
"""Variables that say where things are on this machine; each is read by the package that needs it."""


def load_settings(file: AnyPath | None, environ: Mapping[str, str], overrides: Mapping[str, Any]) -> Settings:
    """Read all settings.

    `file` has one table a group (`[sleep]`, then `rank = 8`); None means no file. `environ` is searched for
    `LIFELONG_HOME`, `LIFELONG_SEED` and `LIFELONG_<GROUP>_<NAME>`, such as `LIFELONG_SLEEP_RANK`. `overrides`
    holds dotted names, such as `{"sleep.rank": 8}`.

    Raises `SettingsError`, which says where the unknown, ill-typed or out-of-range setting stands.
    """
    file = None if file is None else Path(file)
    settings = Settings()
    if file is not None:
        settings = _apply(settings, values_in_file(file), str(file))
    for variable, value in sorted(environ.items()):
        name = variable.removeprefix(PREFIX)
        if variable.startswith(PREFIX) and name not in NOT_SETTINGS:
            settings = _apply(settings, {_dotted(name): value}, f"environment variable {variable}")
    return _apply(settings, overrides, "command line")


def values_in_file(file: Path) -> dict[str, Any]:
    """What a settings file sets, by dotted name, in the file's order. Raises `SettingsError` where it cannot be read."""
    return _flatten(_read_toml(file))


def _apply(settings: Settings, values: Mapping[str, Any], where: str) -> Settings:
    try:
        return settings.with_values(values)
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from error


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"settings file {file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {file} is not valid TOML: {error}") from error


def _flatten(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"sleep": {"rank": 8}}` becomes `{"sleep.rank": 8}`."""
    flat: dict[str, Any] = {}
    for name, value in tables.items():
        flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def _dotted(name: str) -> str:
    """`SLEEP_LEARNING_RATE` becomes `sleep.learning_rate`; what names no group stays whole, to be refused by name."""
    group, _, rest = name.lower().partition("_")
    groups = {field.name for field in fields(Settings) if is_dataclass(getattr(Settings(), field.name))}
    return f"{group}.{rest}" if group in groups and rest else name.lower()
