from __future__ import annotations

from dataclasses import replace

from lifelong.agents import contrast
from lifelong.agents.reflection.evidence import actions_without_effect, generalise, repeated_actions
from lifelong.core import Action, Episode, Judge, Observation, Outcome, Step, Task, ToolResult, tool_call

GOOD = Outcome(success=True, score=1.0, judge=Judge.ENVIRONMENT)
BAD = Outcome(success=False, judge=Judge.ENVIRONMENT)


def episode(number: int, answer: str, result: str, outcome: Outcome, *, tenant: str = "default", error: bool = False) -> Episode:
    task = Task(id=str(number), goal=f"How many of kind {number}?", tenant=tenant)
    steps = (Observation(text=task.text), Action(text=answer), ToolResult(text=result, error=error))
    return Episode(id=f"{'solved' if outcome.success else 'failed'}-{number}", task=task, steps=steps, outcome=outcome, skill="database")


def test_errors_that_differ_in_particulars_count_together() -> None:
    assert generalise("Error: no such column: amount2") == generalise("Error: no such column: 'total'") == "Error: no such column"
    failed = [episode(n, f"SELECT c{n} FROM t", f"Error: no such column: c{n}", BAD, error=True) for n in range(3)]
    found = [item for item in contrast(failed, []) if item.kind == "error"]
    assert [(item.detail, item.weight) for item in found] == [("Error: no such column", 3)]


def test_the_first_divergence_is_found_against_the_same_task() -> None:
    failed = [episode(n, f"SELECT a FROM t{n} ORDER BY a DESC", "wrong", BAD) for n in range(3)]
    right = [episode(n, f"SELECT a FROM t{n} ORDER BY a ASC", "right", GOOD) for n in range(3)]
    [item] = [item for item in contrast(failed, right) if item.kind == "divergence"]
    assert (item.detail, item.instead) == ("… DESC", "… ASC")
    assert item.successes == tuple(sorted(e.id for e in right))


def test_habits_of_failed_runs_are_seen() -> None:
    steps = (Observation(text="wall"), Action(text="forward"), ToolResult(text="wall"), Action(text="forward"), ToolResult(text="wall"))
    assert repeated_actions(steps) == ["forward"]
    assert actions_without_effect(steps) == ["forward", "forward"]


def test_runs_of_several_turns_diverge_in_what_they_call() -> None:
    def turns(number: int, outcome: Outcome, *commands: str, calls: bool = False) -> Episode:
        steps: list[Step] = [Observation(text=f"Route ticket T{number}.")]
        for place, command in enumerate(commands):
            name, _, argument = command.partition(" ")
            made = (tool_call(name, {"value": argument}, f"c{place}"),) if calls else ()
            steps += [Action(text="" if calls else command, tool_calls=made, history="full"), ToolResult(text="ok")]
        task = Task(id=str(number), goal=f"Route ticket T{number}.")
        return Episode(id=f"{outcome.success}-{number}", task=task, steps=tuple(steps), outcome=outcome, skill="tickets")

    for calls in (False, True):
        failed = [turns(n, BAD, f"lookup C{n}", f"route T{n} network-1", calls=calls) for n in range(3)]
        solved = [turns(n, GOOD, f"lookup C{n}", f"search vpn{n}", f"route T{n} network-2", calls=calls) for n in range(3)]
        [found] = [item for item in contrast(failed, solved) if item.kind == "divergence"]
        assert (found.detail, found.instead, found.weight) == ("lookup, route", "lookup, search, route", 3)
    corrected = replace(turns(0, BAD, "lookup C0", "route T0 network-1"), correction="ESCALATE T0")
    [found] = [item for item in contrast([corrected], []) if item.kind == "divergence"]
    assert "ESCALATE" in found.instead
