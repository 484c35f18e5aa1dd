"""The tree stays readable: no import cycle, no folder of more than twenty modules, no private twin of a public module."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping, Set

import grimp
from source_tree import ROOT, SOURCES, TESTS, name, tree

FOLDERS = sorted({file.parent for file in SOURCES if file.parent != ROOT})
TEST_FOLDERS = sorted({file.parent for file in TESTS})
MOST_MODULES = 20
PROTOCOL_LINES = 40
WITHOUT_TESTS = {
    "agents/strategy.py": "a protocol and its data, held to `check_strategy`",
    "core/codec.py": "a protocol and its data, held to `check_codec`",
    "envs/_reply.py": "data alone",
    "memory/store.py": "a protocol and its data, held to `check_store`",
}
"""Modules without logic, and why they need no test of their name."""


def cycles(imports: Mapping[str, Set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, directly or by way of others (Tarjan 1972, strongly connected components)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for other in sorted(imports[module]):
            if other not in number:
                visit(other)
            if other in stack:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == number[module]:
            place = stack.index(module)
            group = sorted(stack[place:])
            del stack[place:]
            if len(group) > 1:
                found.append(group)

    for module in sorted(imports):
        if module not in number:
            visit(module)
    return found


def test_the_product_loads_no_laboratory_method() -> None:
    product = "lifelong.interfaces.cli, lifelong.interfaces.gateway.app, lifelong.orchestrator.learner, lifelong.runs.job"
    script = f"import sys, {product}; print(*[name for name in sys.modules if '.experimental' in name and name.startswith('lifelong')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def protocol_lines(module: ast.Module) -> dict[str, int]:
    """Lines of every protocol that a module defines."""
    return {
        node.name: (node.end_lineno or node.lineno) - node.lineno + 1
        for node in module.body
        if isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
    }


def test_protocols_are_short() -> None:
    found = {f"{name(file)}:{protocol}": lines for file in SOURCES for protocol, lines in protocol_lines(tree(file)).items()}
    assert len(found) > 10
    assert {protocol: lines for protocol, lines in found.items() if lines > PROTOCOL_LINES} == {}


def test_no_modules_import_each_other() -> None:
    graph = grimp.build_graph("lifelong", exclude_type_checking_imports=True)
    assert len(graph.modules) > 200
    assert cycles({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}) == []


def test_a_cycle_is_seen() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def test_no_folder_holds_too_many_modules() -> None:
    assert {name(folder) for folder in [*FOLDERS, *TEST_FOLDERS] if len(list(folder.glob("*.py"))) > MOST_MODULES} == set()


def place_of_tests(module: str) -> str:
    """Where the tests of a module stand: `core/tasks.py` has `tests/core/test_tasks.py`, a private one the same without its underscore."""
    folder, _, file = module.rpartition("/")
    return "/".join(filter(None, ("tests", folder, f"test_{file.strip('_').replace('__', '')}")))


def test_every_module_has_tests_of_its_name() -> None:
    tests = set(map(name, TESTS))
    modules = [name(file) for file in SOURCES if file.name != "__init__.py"]
    assert [module for module in modules if module not in WITHOUT_TESTS and place_of_tests(module) not in tests] == []
    assert {module for module in WITHOUT_TESTS if module not in modules or place_of_tests(module) in tests} == set(), (
        "no exemption outlives its reason"
    )


def test_modules_without_tests_have_no_logic() -> None:
    """Their functions are methods of protocols or of frozen data, with a docstring or an ellipsis for a body."""
    for module in WITHOUT_TESTS:
        functions = [node for node in ast.walk(tree(ROOT / module)) if isinstance(node, ast.FunctionDef)]
        assert [one.name for one in functions if not all(isinstance(line, ast.Expr) for line in one.body)] == [], module


def test_places_of_tests() -> None:
    assert [place_of_tests(one) for one in ("core/tasks.py", "envs/_splits.py", "__main__.py")] == [
        "tests/core/test_tasks.py",
        "tests/envs/test_splits.py",
        "tests/test_main.py",
    ]


def test_no_module_has_a_private_twin() -> None:
    twins = [file for folder in FOLDERS for file in folder.glob("_[a-z]*.py") if (folder / file.name.removeprefix("_")).exists()]
    assert twins == []
