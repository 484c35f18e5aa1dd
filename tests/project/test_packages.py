"""What pyproject.toml declares is what stands on disk."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata

from source_tree import PACKAGES, ROOT

import lifelong

EXTRAS_OF_DEV = ("bench", "dev", "langchain", "local", "multilingual", "navigation", "telemetry", "train")
"""What `lifelong.sh` installs besides the core."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


FOLDERS = {"lifelong." + ".".join(file.parent.relative_to(ROOT).parts) for package in PACKAGES for file in package.rglob("__init__.py")}


def test_the_package_list_equals_the_folders() -> None:
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == {"lifelong", *FOLDERS}


def test_every_package_has_a_layer() -> None:
    contract = next(one for one in PROJECT["tool"]["importlinter"]["contracts"] if one["name"] == "layers")
    layers = {package.strip() for layer in contract["layers"] for package in layer.split("|")}
    assert layers == {folder for folder in FOLDERS if folder.count(".") == 1}


def test_the_root_holds_the_package_and_its_command() -> None:
    assert sorted(file.name for file in ROOT.glob("*.py")) == ["__init__.py", "__main__.py"]


def test_the_version_is_said_once() -> None:
    assert PROJECT["project"]["version"] == lifelong.__version__


def test_the_environment_holds_every_extra_but_the_server_the_peers_and_outside_tasks() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert set(extras) - {"all", "peers", "reasoning", "vllm"} == set(EXTRAS_OF_DEV)
    assert "lifelong[all]" in extras["dev"]
    assert extras["all"] == ["lifelong[bench,langchain,local,multilingual,navigation,telemetry,train]"]


def test_every_dependency_is_pinned_and_the_pins_are_installed() -> None:
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#"))
    canonical = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins.items()}
    extras = PROJECT["project"]["optional-dependencies"]
    declared = PROJECT["project"]["dependencies"] + [
        line for name in EXTRAS_OF_DEV for line in extras[name] if not line.startswith("lifelong[")
    ]
    names = [re.match(r"[A-Za-z0-9._-]+", line).group() for line in declared]  # type: ignore[union-attr]
    assert [name for name in names if re.sub(r"[-_.]+", "-", name).lower() not in canonical] == []
    assert {name: metadata.version(name).split("+")[0] for name in names} == {
        name: canonical[re.sub(r"[-_.]+", "-", name).lower()] for name in names
    }
