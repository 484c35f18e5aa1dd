"""What the results of tools show of a run: exit codes, summaries of tests, tracebacks, HTTP and SQL errors.

Half of the clients pass no exit code on, so the text is read too. Silence is no success: only tests that ran and passed are one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...core import UNKNOWN, Action, Judge, Outcome, Step, ToolResult

LINES = 200
"""Lines at the end of a result that are read: summaries stand there."""
LONGEST_LINE = 300
"""Characters of a line that are read and kept as evidence."""

_PASSED = (
    # pytest, unittest, jest, cargo, go
    re.compile(r"^=* ?(?P<passed>\d+) passed\b(?!.*\b[1-9]\d* (?:failed|error))"),
    re.compile(r"^OK(?: \(skipped=\d+\))?$"),
    re.compile(r"^Tests: +(?!.*\b[1-9]\d* failed).*\b\d+ passed, \d+ total"),
    re.compile(r"^test result: ok\. "),
    re.compile(r"^ok {2,}\t?\S+\t"),
)
_TESTS_FAILED = (
    re.compile(r"^=* ?(?:.*\b)?[1-9]\d* (?:failed|errors?)\b.* in \d"),
    re.compile(r"^FAILED \((?:failures|errors)="),
    re.compile(r"^Tests: +.*\b[1-9]\d* failed"),
    re.compile(r"^test result: FAILED\. "),
    re.compile(r"^--- FAIL: "),
)
_FAILED = (
    re.compile(r"\bexit(?:ed with)?(?: with)?(?: code| status|_code)[\"']?[:= ]+(?:[1-9]|-\d)", re.IGNORECASE),
    re.compile(r"[\"'](?:returncode|exitCode|return_code)[\"']: ?(?:[1-9]|-\d)"),
    re.compile(r"^[\"'{ ]*success[\"']: ?false", re.IGNORECASE),
    re.compile(r"^Traceback \(most recent call last\)"),
    re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception): "),
    re.compile(r"^(?:error|fatal|panic)(?:\[\w+\])?: ", re.IGNORECASE),
    re.compile(r"\bHTTP/\d(?:\.\d)? [45]\d\d\b"),
    re.compile(r"\bstatus(?:[ _]code)?[\"']?[:= ]+[45]\d\d\b", re.IGNORECASE),
    re.compile(r"\bSQLSTATE\b|\bno such (?:table|column)\b|\bsyntax error at or near\b|^ERROR \d{4} \("),
    re.compile(r": (?:command not found|No such file or directory|Permission denied)$"),
)


@dataclass(frozen=True, kw_only=True)
class Sign:
    """What one result shows."""

    success: bool
    """Whether what was tried went well."""
    tests: bool
    """Whether tests say so, which check the work itself."""
    evidence: str
    """The line that shows it."""


def read_result(text: str, *, error: bool = False) -> Sign | None:
    r"""What a tool's result shows; None where it shows nothing. Of several signs the last summary of tests counts, then the first error.

    >>> read_result("collected 5 items\n===== 1 failed, 4 passed in 0.12s =====").success
    False
    >>> read_result("three files changed") is None
    True
    """
    lines = [line[:LONGEST_LINE].strip() for line in text.splitlines()[-LINES:]]
    for line in reversed(lines):
        if any(one.search(line) for one in _TESTS_FAILED):
            return Sign(success=False, tests=True, evidence=line)
        if any(one.search(line) for one in _PASSED):
            return Sign(success=True, tests=True, evidence=line)
    for line in lines:
        if any(one.search(line) for one in _FAILED):
            return Sign(success=False, tests=False, evidence=line)
    if error:
        return Sign(success=False, tests=False, evidence=next((line for line in lines if line), "the tool reports an error"))
    return None


def outcome_of_results(steps: Sequence[Step]) -> Outcome:
    """What the results of a run show of the whole of it; `UNKNOWN` where they show nothing.

    A run succeeded whose newest tests passed and after which nothing failed. It failed where the results of its last turn with tools
    show a failure. An earlier error from which it recovered says nothing against it.
    """
    verdict: Sign | None = None
    for turn in _turns(steps):
        signs = [sign for step in turn if (sign := read_result(step.text, error=step.error)) is not None]
        failed = next((sign for sign in signs if not sign.success), None)
        passed = next((sign for sign in reversed(signs) if sign.success), None)
        # A failure is forgotten once a later turn of tools does not repeat it; tests that passed stand until something fails.
        kept = verdict if verdict is not None and verdict.success else None
        verdict = failed or passed or kept
    if verdict is None:
        return UNKNOWN
    return Outcome(success=verdict.success, score=float(verdict.success), judge=Judge.TOOL, evidence=verdict.evidence)


def _turns(steps: Sequence[Step]) -> list[list[ToolResult]]:
    """The results between one action and the next, for each action that has any."""
    turns: list[list[ToolResult]] = [[]]
    for step in steps:
        if isinstance(step, Action):
            turns.append([])
        elif isinstance(step, ToolResult):
            turns[-1].append(step)
    return [turn for turn in turns if turn]
