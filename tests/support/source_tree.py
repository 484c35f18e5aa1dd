"""The files of the repository for tests that read them: each is read and parsed once in a process, and a rule lists all who break it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tuple(folder for folder in sorted(ROOT.iterdir()) if (folder / "__init__.py").exists() and folder.name != "tests")
"""The folders of the product's packages."""
PACKAGE_NAMES = tuple(package.name for package in PACKAGES)
SOURCES = (*sorted(ROOT.glob("*.py")), *(file for package in PACKAGES for file in sorted(package.rglob("*.py"))))
"""Every source file of the product."""
TESTS = tuple(sorted((ROOT / "tests").rglob("*.py")))
"""Every source file of the tests, those that tests share included."""


@cache
def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(text(file))


def name(file: Path) -> str:
    """A file's path below the root, with slashes."""
    return file.relative_to(ROOT).as_posix()


def module_name(file: Path) -> str:
    """`core/tasks.py` is `lifelong.core.tasks`, `core/__init__.py` is `lifelong.core`."""
    return ".".join(["lifelong", *file.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")


def offenders(files: Iterable[Path], rule: Callable[[Path], object]) -> Mapping[str, object]:
    """What a rule finds in each file, for the files in which it finds something; the rule must have had files to look at."""
    found = {name(file): rule(file) for file in files}
    assert len(found) > 3, "the rule looked at no files"
    return {file: what for file, what in found.items() if what}
