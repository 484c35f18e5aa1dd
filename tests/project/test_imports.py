"""Source files import each other relatively and from others only what is declared; tests say `from lifelong...`, as users do."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata

from source_tree import PACKAGE_NAMES, ROOT, SOURCES, TESTS, name, offenders, tree

from lifelong.core.extras import EXTRAS


def imports(tree: ast.AST) -> Iterator[tuple[int, int, str]]:
    """Line, number of leading dots, and module of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.lineno, node.level, node.module or ""
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, 0, alias.name) for alias in node.names)


def wrong_in_source(module: ast.Module) -> list[int]:
    """Lines that import the package by an absolute name, its own or a bare package's."""
    return [line for line, dots, other in imports(module) if not dots and other.split(".")[0] in {"lifelong", *PACKAGE_NAMES}]


def wrong_in_tests(module: ast.Module) -> list[int]:
    """Lines of a test that import relatively, or a package by its bare name."""
    return [line for line, dots, other in imports(module) if dots or other.split(".")[0] in PACKAGE_NAMES]


def test_sources_import_each_other_relatively() -> None:
    assert offenders(SOURCES, lambda file: wrong_in_source(tree(file))) == {}


def test_tests_import_the_installed_name() -> None:
    assert offenders(TESTS, lambda file: wrong_in_tests(tree(file))) == {}


def test_the_rule_sees_what_it_forbids() -> None:
    source = "import lifelong.core\nfrom core import Task\nfrom ..core import Task\nimport json\n"
    assert wrong_in_source(ast.parse(source)) == [1, 2]
    assert wrong_in_tests(ast.parse("from lifelong.core import Task\nfrom . import x\nimport core\n")) == [2, 3]


def canonical(requirement: str) -> str:
    """The name that a requirement begins with, as package indexes spell it."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def declared(extra: str | None) -> set[str]:
    """Distributions that the core declares, or an extra with the extras that it names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = set[str]()
    for line in project["optional-dependencies"][extra] if extra else project["dependencies"]:
        if line.startswith("lifelong["):
            found = found.union(*(declared(other) for other in line[len("lifelong[") : -1].split(",")))
        else:
            found.add(canonical(line))
    return found


def imported_from_others(module: ast.Module) -> set[str]:
    """Top-level modules that are neither ours nor the standard library's."""
    return {other.split(".")[0] for _, dots, other in imports(module) if not dots} - sys.stdlib_module_names


def imported_at_once(module: ast.Module) -> set[str]:
    """Top-level modules of others that importing a file imports: neither those inside functions nor those for types alone."""
    found = set[str]()
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        ):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {other.split(".")[0] for _, dots, other in imports(ast.Module([node], [])) if not dots}
        waiting += ast.iter_child_nodes(node)
    return found - sys.stdlib_module_names


def test_everything_imported_is_declared_by_the_core_or_by_the_extra_that_an_error_names() -> None:
    providers = metadata.packages_distributions()
    others = set[str]().union(*(imported_from_others(tree(file)) for file in SOURCES))
    assert {"torch", "safetensors", "numpy"} <= others
    for one in sorted(others):
        provided_by = {canonical(distribution) for distribution in providers[one]}
        assert provided_by & declared(EXTRAS.get(one)), f"{one} comes from {provided_by}, which extra {EXTRAS.get(one)} does not declare"
    assert set(EXTRAS) <= others, "an extra is promised for what nothing imports"


ADAPTERS_TO_EXTRAS = {"serving/chat_model.py": {"langchain_core"}}
"""A class of these modules derives from a class of an extra's package, so that they cannot be imported without it."""


def test_only_the_core_is_imported_at_once() -> None:
    found = offenders(SOURCES, lambda file: imported_at_once(tree(file)) & set(EXTRAS) - ADAPTERS_TO_EXTRAS.get(name(file), set()))
    assert found == {}


def test_what_is_imported_at_once_is_seen() -> None:
    text = "import torch.nn\nclass A:\n    import peft\ndef f():\n    import trl\nif TYPE_CHECKING:\n    import datasets\n"
    assert imported_at_once(ast.parse(text)) == {"torch", "peft"}
