"""Every example in a docstring runs."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = [folder for folder in sorted(ROOT.iterdir()) if (folder / "__init__.py").exists() and folder.name != "tests"]
EXAMPLES = [file for package in PACKAGES for file in sorted(package.rglob("*.py")) if ">>> " in file.read_text()]


def module_name(file: Path) -> str:
    """`core/tasks.py` is `lifelong.core.tasks`, `core/__init__.py` is `lifelong.core`."""
    return ".".join(["lifelong", *file.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")


@pytest.mark.parametrize("file", EXAMPLES, ids=module_name)
def test_examples_run(file: Path) -> None:
    result = doctest.testmod(import_module(module_name(file)), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0
