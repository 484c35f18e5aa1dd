"""Source files import each other relatively and from others only what is declared; tests say `from lifelong...`, as users do."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = sorted(folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists() and folder.name != "tests")
SOURCES = [ROOT / "__init__.py", *sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[tuple[int, int, str]]:
    """Line, number of leading dots, and module of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.lineno, node.level, node.module or ""
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, 0, alias.name) for alias in node.names)


def wrong_in_source(text: str) -> list[int]:
    """Lines that import the package by an absolute name, its own or a bare room's."""
    return [line for line, dots, module in imports(ast.parse(text)) if not dots and module.split(".")[0] in {"lifelong", *ROOMS}]


def wrong_in_tests(text: str) -> list[int]:
    """Lines of a test that import relatively, or a room by its bare name."""
    return [line for line, dots, module in imports(ast.parse(text)) if dots or module.split(".")[0] in ROOMS]


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_sources_import_each_other_relatively(file: Path) -> None:
    assert wrong_in_source(file.read_text()) == []


@pytest.mark.parametrize("file", TESTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_tests_import_the_installed_name(file: Path) -> None:
    assert wrong_in_tests(file.read_text()) == []


def test_the_rule_sees_what_it_forbids() -> None:
    assert wrong_in_source("import lifelong.core\nfrom core import Task\nfrom ..core import Task\nimport json\n") == [1, 2]
    assert wrong_in_tests("from lifelong.core import Task\nfrom . import x\nimport core\n") == [2, 3]


def canonical(requirement: str) -> str:
    """The name that a requirement begins with, as package indexes spell it."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def test_everything_imported_is_declared() -> None:
    providers = metadata.packages_distributions()
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    declared = {canonical(line) for line in dependencies}
    imported = {module.split(".")[0] for file in SOURCES for _, dots, module in imports(ast.parse(file.read_text())) if not dots}
    others = imported - sys.stdlib_module_names
    assert {"torch", "safetensors", "numpy"} <= others
    assert {name: providers[name] for name in others if not {canonical(one) for one in providers[name]} & declared} == {}
