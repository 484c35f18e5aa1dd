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

from lifelong.core.extras import EXTRAS

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists() and folder.name != "tests")
SOURCES = [ROOT / "__init__.py", *sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[tuple[int, int, str]]:
    """Line, number of leading dots, and module of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.lineno, node.level, node.module or ""
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, 0, alias.name) for alias in node.names)


def wrong_in_source(text: str) -> list[int]:
    """Lines that import the package by an absolute name, its own or a bare package's."""
    return [line for line, dots, module in imports(ast.parse(text)) if not dots and module.split(".")[0] in {"lifelong", *PACKAGES}]


def wrong_in_tests(text: str) -> list[int]:
    """Lines of a test that import relatively, or a package by its bare name."""
    return [line for line, dots, module in imports(ast.parse(text)) if dots or module.split(".")[0] in PACKAGES]


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


def declared(extra: str | None) -> set[str]:
    """Distributions that the core declares, or an extra with the extras that it names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = set[str]()
    for line in project["optional-dependencies"][extra] if extra else project["dependencies"]:
        if line.startswith("lifelong["):
            found = found.union(*(declared(name) for name in line[len("lifelong[") : -1].split(",")))
        else:
            found.add(canonical(line))
    return found


def imported_from_others(file: Path) -> set[str]:
    """Top-level modules that are neither ours nor the standard library's."""
    return {module.split(".")[0] for _, dots, module in imports(ast.parse(file.read_text())) if not dots} - sys.stdlib_module_names


def imported_at_once(text: str) -> set[str]:
    """Top-level modules of others that importing a file imports: neither those inside functions nor those for types alone."""
    found = set[str]()
    waiting: list[ast.AST] = [ast.parse(text)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        ):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {module.split(".")[0] for _, dots, module in imports(ast.Module([node], [])) if not dots}
        waiting += ast.iter_child_nodes(node)
    return found - sys.stdlib_module_names


def test_everything_imported_is_declared_by_the_core_or_by_the_extra_that_an_error_names() -> None:
    providers = metadata.packages_distributions()
    others = set[str]().union(*(imported_from_others(file) for file in SOURCES))
    assert {"torch", "safetensors", "numpy"} <= others
    for name in sorted(others):
        provided_by = {canonical(one) for one in providers[name]}
        assert provided_by & declared(EXTRAS.get(name)), f"{name} comes from {provided_by}, which extra {EXTRAS.get(name)} does not declare"
    assert set(EXTRAS) <= others, "an extra is promised for what nothing imports"


ADAPTERS_TO_EXTRAS = {"serving/chat_model.py": {"langchain_core"}}
"""A class of these modules derives from a class of an extra's package, so that they cannot be imported without it."""


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_only_the_core_is_imported_at_once(file: Path) -> None:
    allowed = ADAPTERS_TO_EXTRAS.get(str(file.relative_to(ROOT)), set())
    assert imported_at_once(file.read_text()) & set(EXTRAS) - allowed == set()


def test_what_is_imported_at_once_is_seen() -> None:
    text = "import torch.nn\nclass A:\n    import peft\ndef f():\n    import trl\nif TYPE_CHECKING:\n    import datasets\n"
    assert imported_at_once(text) == {"torch", "peft"}
