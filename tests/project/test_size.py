"""Ceilings: a file is read in one sitting, a function on one screen."""

from __future__ import annotations

import ast
from pathlib import Path

from source_tree import SOURCES, TESTS, name, offenders, text, tree

FILE_LINES = 400
FUNCTION_LINES = 60
LONG_FUNCTIONS: dict[str, str] = {}
"""`package/file.py:function` and the reason why it is long."""


def long_functions(module: ast.Module) -> list[str]:
    """Functions over the ceiling, docstring included."""
    functions = (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [node.name for node in functions if (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES]


def named_long_functions(file: Path) -> list[str]:
    return [f"{name(file)}:{function}" for function in long_functions(tree(file))]


def test_no_file_is_too_long() -> None:
    assert offenders([*SOURCES, *TESTS], lambda file: len(text(file).splitlines()) > FILE_LINES) == {}


def test_no_function_is_too_long() -> None:
    assert offenders([*SOURCES, *TESTS], lambda file: [one for one in named_long_functions(file) if one not in LONG_FUNCTIONS]) == {}


def test_the_ceiling_is_seen() -> None:
    body = "\n".join(["    pass"] * FUNCTION_LINES)
    assert long_functions(ast.parse(f"def high():\n{body}\n")) == ["high"]
    assert long_functions(ast.parse(f"def fits():\n{body[: -len('    pass')]}\n")) == []


def test_no_exception_outlives_its_function() -> None:
    present = {one for file in [*SOURCES, *TESTS] for one in named_long_functions(file)}
    assert set(LONG_FUNCTIONS) <= present
