"""No expression of the package goes quadratic over a text: outside text reaches many of them, and `re` holds the interpreter meanwhile."""

from __future__ import annotations

import ast
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import lifelong

ROOT = Path(lifelong.__file__).parent
ANCHORED = {"match", "fullmatch"}
SCANNING = {"search", "finditer", "findall", "sub", "subn", "split"}
UNITS = (
    *" \n\t<>'\"`aA0_-.:;,/\\#@([{)]}=*+?$&%!|~^é\x00",
    *("\r\n", " \n", "a ", "a_", "a.", "a-", "a\n", "0.", "0,", "</", "< ", "''", '""', "\\'", '\\"', "```", "'''", "``` "),
    *("a:", ": ", "a@", "::", "/*", "--", "[[", "((", "a1", "A a", "SELECT ", "select\n", "<|", "|>", "http://", "{ ", "- ", "* "),
    *("\n\n", "\n "),
)
STARTS = ("", "<", "'", '"', "`", "```", "a", "(", "/", "\\", "'a", "<a", "{", "[", "SELECT ", "0", "#", "@", "<|", "\x1b[", "Action:")
SIZES = (1_000, 40_000, 1_000_000)
DEADLINE = 1.0


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Name and syntax tree of every module that uses `re`."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if (
            parts[0] not in ("tests", "build")
            and not parts[0].startswith(".")
            and "import re\n" in (text := path.read_text(encoding="utf-8"))
        ):
            name = ".".join(("lifelong", *(parts[:-1] if parts[-1] in ("__init__", "__main__") else parts)))
            yield name, ast.parse(text)


def uses(tree: ast.Module, name: str) -> set[str]:
    """Which methods of a named pattern a module calls; all of them where it is handed on."""
    attributes = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    ]
    loads = sum(isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) for node in ast.walk(tree))
    methods = set(attributes) & (ANCHORED | SCANNING)
    return methods if methods and loads == len(attributes) else ANCHORED | SCANNING


def inline(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Method and pattern of every `re.search("...", ...)` and its like with a literal pattern."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in ANCHORED | SCANNING
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.func.attr, node.args[0].value


def patterns() -> Iterator[tuple[str, re.Pattern[str], bool]]:
    """Where it stands, the pattern, and whether it looks for matches everywhere in a text."""
    for name, tree in sources():
        module = import_module(name)
        for attribute, value in vars(module).items():
            if (
                isinstance(value, re.Pattern)
                and isinstance(value.pattern, str)
                and any(isinstance(node, ast.Name) and node.id == attribute and isinstance(node.ctx, ast.Store) for node in ast.walk(tree))
            ):
                yield f"{name}.{attribute}", value, not uses(tree, attribute) <= ANCHORED
        for method, literal in inline(tree):
            yield f"{name}: {literal}", re.compile(literal), method in SCANNING


def seconds(pattern: re.Pattern[str], text: str, scanning: bool) -> float:
    """How long a pattern takes over a text; it is interrupted soon after the deadline."""
    began = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, 1.2 * DEADLINE)
    try:
        if scanning:
            for _ in pattern.finditer(text):
                pass
        else:
            pattern.match(text)
            pattern.fullmatch(text)
    except TimeoutError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return time.perf_counter() - began


def interrupt(*_: Any) -> None:
    raise TimeoutError


def worst(pattern: re.Pattern[str], scanning: bool) -> tuple[float, str, str]:
    """Seconds for the worst long text, its start and its unit: the text that was slowest when short, made longer step by step."""
    _, start, unit = max((seconds(pattern, grown(start, unit, SIZES[0]), scanning), start, unit) for start in STARTS for unit in UNITS)
    took = 0.0
    for size in SIZES[1:]:
        took = seconds(pattern, grown(start, unit, size), scanning)
        if took > DEADLINE:
            break
    return took, start, unit


def grown(start: str, unit: str, size: int) -> str:
    return start + unit * (size // len(unit)) + "\x01"


def main() -> None:
    signal.signal(signal.SIGALRM, interrupt)
    report: list[dict[str, Any]] = []
    for where, pattern, scanning in patterns():
        took, start, unit = worst(pattern, scanning)
        report.append({"where": where, "seconds": took, "start": start, "unit": unit})
    print(json.dumps(report))


def test_every_expression_reads_a_megabyte_within_a_second() -> None:
    # In a process of its own: an expression that hangs can only be killed.
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert len(report) > 20
    slow = [row for row in report if row["seconds"] > DEADLINE]
    assert not slow, "\n".join(f"{row['where']}: {row['seconds']:.1f} s over {row['start']!r} + {row['unit']!r} * n" for row in slow)


def test_a_quadratic_expression_is_found() -> None:
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        assert worst(re.compile(r"\s*x"), scanning=True)[0] > DEADLINE
        assert worst(re.compile(r"<[^>]*>"), scanning=True)[0] > DEADLINE
        assert worst(re.compile(r"<[^<>]*>"), scanning=True)[0] < DEADLINE
    finally:
        signal.signal(signal.SIGALRM, before)


if __name__ == "__main__":
    main()
