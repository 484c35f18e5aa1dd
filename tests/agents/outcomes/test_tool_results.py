"""What results of tools show: real lines of real tools."""

from __future__ import annotations

import pytest

from lifelong.agents.outcomes.tool_results import outcome_of_results, read_result
from lifelong.core import UNKNOWN, Action, Judge, Observation, Step, ToolResult

PASSED = [
    "============ 5 passed in 0.03s ============",
    "5 passed, 1 skipped, 2 warnings in 1.20s",
    "Ran 3 tests in 0.001s\n\nOK",
    "Tests:       3 passed, 3 total\nTime:        0.5 s",
    "test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured",
    "ok  \texample.com/pkg\t0.003s",
]
FAILED = [
    "============ 1 failed, 4 passed in 0.12s ============",
    "=== 2 errors in 0.40s ===",
    "Ran 3 tests in 0.001s\n\nFAILED (failures=1)",
    "Tests:       1 failed, 2 passed, 3 total",
    "test result: FAILED. 3 passed; 1 failed; 0 ignored",
    "--- FAIL: TestRoute (0.00s)",
    "Process exited with code 3",
    '{"stdout": "", "exit_code": 1}',
    "'returncode': -9",
    '{"success": false, "error": "no such file"}',
    'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: bad',
    "sqlite3.OperationalError: no such table: users",
    "error[E0308]: mismatched types",
    "fatal: not a git repository",
    "< HTTP/1.1 503 Service Unavailable",
    "Request failed with status code 404",
    "ERROR 1064 (42000): You have an error in your SQL syntax",
    'ERROR:  syntax error at or near "SELEC"',
    "bash: frobnicate: command not found",
    "cat: nothing.txt: No such file or directory",
]
NOTHING = [
    "",
    "three files changed",
    "exit code 0",
    "Process exited with code 0",
    '{"exit_code": 0}',
    "HTTP/1.1 200 OK",
    "no errors found",
    "0 failed",
]


@pytest.mark.parametrize("text", PASSED)
def test_tests_that_passed_are_seen(text: str) -> None:
    sign = read_result(f"collecting\n{text}\n")
    assert sign is not None
    assert (sign.success, sign.tests) == (True, True)
    assert sign.evidence in text


@pytest.mark.parametrize("text", FAILED)
def test_failures_are_seen(text: str) -> None:
    sign = read_result(text)
    assert sign is not None
    assert not sign.success
    assert sign.evidence in text


@pytest.mark.parametrize("text", NOTHING)
def test_silence_shows_nothing(text: str) -> None:
    assert read_result(text) is None


def test_a_result_that_is_marked_as_an_error_is_one() -> None:
    sign = read_result("not allowed", error=True)
    assert sign is not None
    assert (sign.success, sign.evidence) == (False, "not allowed")


def run(*results: str) -> list[Step]:
    steps: list[Step] = [Observation(text="make the tests pass")]
    for number, text in enumerate(results):
        steps += [Action(text=f"step {number}"), ToolResult(text=text)]
    return [*steps, Action(text="Done.")]


@pytest.mark.parametrize(
    ("results", "success"),
    [
        ((), None),
        (("three files changed",), None),
        (("Process exited with code 1",), False),
        (("Process exited with code 1", "three files changed"), None),
        (("1 failed, 4 passed in 0.1s", "5 passed in 0.1s"), True),
        (("5 passed in 0.1s", "three files changed"), True),
        (("5 passed in 0.1s", "1 failed, 4 passed in 0.1s"), False),
        (("5 passed in 0.1s", "Process exited with code 1", "three files changed"), None),
    ],
)
def test_a_run_is_judged_by_its_newest_results(results: tuple[str, ...], success: bool | None) -> None:
    outcome = outcome_of_results(run(*results))
    assert outcome.success is success
    if success is None:
        assert outcome == UNKNOWN
    else:
        assert (outcome.judge, outcome.score) == (Judge.TOOL, float(success))
        assert any(outcome.evidence in result for result in results)


def test_a_long_result_is_read_in_time_that_grows_with_it() -> None:
    assert read_result("exit " * 400_000) is None
    assert read_result(("a" * 100_000 + "\n") * 20) is None
