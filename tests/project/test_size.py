"""Ceilings: a file is read in one sitting, a function on one screen."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [file for folder in sorted(ROOT.iterdir()) if (folder / "__init__.py").exists() for file in sorted(folder.rglob("*.py"))]
FILE_LINES = 400
FUNCTION_LINES = 60
LONG_FUNCTIONS: dict[str, str] = {}
"""`package/file.py:function` and the reason why it is long."""


def long_functions(name: str, text: str) -> list[str]:
    """Functions over the ceiling, decorators and docstring included."""
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [f"{name}:{node.name}" for node in functions if (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES]


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_and_no_function_is_too_long(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= FILE_LINES
    assert [name for name in long_functions(str(file.relative_to(ROOT)), text) if name not in LONG_FUNCTIONS] == []


def test_the_ceiling_is_seen() -> None:
    body = "\n".join(["    pass"] * FUNCTION_LINES)
    assert long_functions("package/file.py", f"def high():\n{body}\n") == ["package/file.py:high"]
    assert long_functions("package/file.py", f"def fits():\n{body[: -len('    pass')]}\n") == []


def test_no_exception_outlives_its_function() -> None:
    present = {name for file in SOURCES for name in long_functions(str(file.relative_to(ROOT)), file.read_text())}
    assert set(LONG_FUNCTIONS) <= present
