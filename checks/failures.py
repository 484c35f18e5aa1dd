"""What a contract check says when the member under test raises where it must not."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

P = ParamSpec("P")


def asserting(check: Callable[P, None]) -> Callable[P, None]:
    """A check that raises `AssertionError` and nothing else: any other error becomes one that names the rule under check.

    What a check demands is said in its assertions, so the rule is that of the first one at or after the place where it was.
    """

    @wraps(check)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            check(*args, **kwargs)
        except (AssertionError, KeyboardInterrupt):
            raise
        except BaseException as error:  # a member may even call `sys.exit`
            raise AssertionError(f"{_rule_at(error)}; it raised {type(error).__name__}: {error}") from error

    return checked


def _rule_at(error: BaseException) -> str:
    """The text of the assertion that a check was on its way to when the member raised."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == HERE and frame.name != "checked"
    ]
    for frame in reversed(frames):
        line = frame.lineno or 0
        tree = ast.parse(Path(frame.filename).read_text(encoding="utf-8"))
        within = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0)]
        demands = sorted((node for one in within for node in ast.walk(one) if isinstance(node, ast.Assert)), key=lambda node: node.lineno)
        message = next((node.msg for node in demands if (node.end_lineno or node.lineno) >= line), None)
        if text := _text(message):
            return text
    return "no member raises where it is used as its protocol allows"


def _text(message: ast.expr | None) -> str:
    """The fixed words of an assertion's message; what it would fill in is left out."""
    match message:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "..." for part in parts)
    return ""


HERE = Path(__file__).parent
