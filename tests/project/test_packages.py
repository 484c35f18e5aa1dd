"""What pyproject.toml declares is what stands on disk."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import lifelong

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_package_list_equals_the_folders() -> None:
    folders = {f"lifelong.{folder.name}" for folder in ROOT.iterdir() if (folder / "__init__.py").exists() and folder.name != "tests"}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == {"lifelong", *folders}


def test_every_room_stands_on_a_floor() -> None:
    (contract,) = PROJECT["tool"]["importlinter"]["contracts"]
    floors = {room.strip() for layer in contract["layers"] for room in layer.split("|")}
    assert floors == set(PROJECT["tool"]["setuptools"]["packages"]) - {"lifelong"}


def test_the_root_holds_one_python_file() -> None:
    assert [file.name for file in ROOT.glob("*.py")] == ["__init__.py"]


def test_the_version_is_said_once() -> None:
    assert PROJECT["project"]["version"] == lifelong.__version__


def test_every_dependency_is_pinned_and_the_pins_are_installed() -> None:
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#"))
    canonical = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins.items()}
    declared = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["dev"]
    names = [re.match(r"[A-Za-z0-9._-]+", line).group() for line in declared]  # type: ignore[union-attr]
    assert [name for name in names if re.sub(r"[-_.]+", "-", name).lower() not in canonical] == []
    assert {name: metadata.version(name).split("+")[0] for name in names} == {
        name: canonical[re.sub(r"[-_.]+", "-", name).lower()] for name in names
    }
