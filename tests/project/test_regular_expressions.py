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

import pytest

import lifelong

pytestmark = pytest.mark.slow

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
SMALLEST, LARGEST, FACTOR = 1_000, 1_024_000, 4
"""Characters of the shortest and of the longest text, and how much longer each is than the one before."""
MEASURABLE, TOO_LONG = 0.02, 2.0
"""Seconds of processor time from which on two sizes are compared, and at which a search is given up."""
FINALISTS = 20
"""Texts that are tried at a second length before the slowest is chosen."""
STEEP = 8.0
"""Growth of the time between two sizes that is too much: a linear expression takes four times as long, a quadratic one sixteen times."""


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
    """Processor time that a pattern takes over a text, so that a busy machine changes nothing; it is interrupted when it takes too long."""
    began = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, TOO_LONG)
        try:
            if scanning:
                for _ in pattern.finditer(text):
                    pass
            else:
                pattern.match(text)
                pattern.fullmatch(text)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except TimeoutError:  # also where the timer, which fires once, fires while it is being stopped
        pass
    return time.process_time() - began


def elapsed(pattern: re.Pattern[str], text: str, scanning: bool) -> float:
    """Seconds on the wall that a pattern takes over a text."""
    began = time.perf_counter()
    seconds(pattern, text, scanning)
    return time.perf_counter() - began


def interrupt(*_: Any) -> None:
    raise TimeoutError


def growth(pattern: re.Pattern[str], scanning: bool) -> tuple[float, str, str]:
    """How much longer a text of four times the length takes, and the start and the unit of the text that was slowest when short.

    The text is made longer until it takes long enough to be measured; 1.0 where the longest does not.
    """
    # One slow reading of a short text is chance as often as cause: the slowest few go on to a longer text, and the slowest there is kept.
    # They are ranked by the clock on the wall: the least of two readings there is not raised by what a machine counts as processor time.
    texts = [(start, unit) for start in STARTS for unit in UNITS]
    for size, kept in ((SMALLEST, FINALISTS), (SMALLEST * FACTOR, 1)):
        # The least of several readings, since whatever else the machine does can only add to a reading.
        readings = {text: min(elapsed(pattern, grown(*text, size), scanning) for _ in range(2)) for text in texts}
        texts = sorted(texts, key=lambda text: readings[text], reverse=True)[:kept]
    ((start, unit),) = texts
    size, took = SMALLEST, 0.0
    while size < LARGEST and took < MEASURABLE:
        size *= FACTOR
        took = seconds(pattern, grown(start, unit, size), scanning)
    if took < MEASURABLE:
        return 1.0, start, unit
    shorter, longer = (average(pattern, grown(start, unit, length), scanning) for length in (size // FACTOR, size))
    return longer / shorter, start, unit


def average(pattern: re.Pattern[str], text: str, scanning: bool) -> float:
    """Processor time of one pass, over as many as the clock needs to be trusted."""
    total = passes = 0.0
    while total < MEASURABLE:
        total += seconds(pattern, text, scanning)
        passes += 1
    return total / passes


def grown(start: str, unit: str, size: int) -> str:
    return start + unit * (size // len(unit)) + "\x01"


def main(own: list[str]) -> None:
    """Print the growth of the package's expressions, or of one's own, which scan."""
    signal.signal(signal.SIGVTALRM, interrupt)
    looked_at = [(one, re.compile(one), True) for one in own] or list(patterns())
    print(json.dumps([{"where": where, "growth": growth(pattern, scanning)} for where, pattern, scanning in looked_at]))


def measured(*own: str) -> dict[str, tuple[float, str, str]]:
    """In a process of its own: an expression that hangs can only be killed, and a timer belongs to the whole process."""
    done = subprocess.run([sys.executable, __file__, *own], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return {row["where"]: tuple(row["growth"]) for row in json.loads(done.stdout)}


def test_the_time_of_every_expression_grows_with_the_text_and_no_faster() -> None:
    report = measured()
    assert len(report) > 20
    steep = {where: row for where, row in report.items() if row[0] > STEEP}
    assert not steep, "\n".join(
        f"{where}: {times:.1f} times over {start!r} + {unit!r} * n" for where, (times, start, unit) in steep.items()
    )


def test_a_quadratic_expression_is_found() -> None:
    found = {where: times for where, (times, _, _) in measured(r"\s*x", r"<[^>]*>", r"<[^<>]*>").items()}
    assert found.pop(r"<[^<>]*>") < STEEP
    assert len(found) == 2
    assert min(found.values()) > STEEP, found


if __name__ == "__main__":
    main(sys.argv[1:])
