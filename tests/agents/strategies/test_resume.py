"""A run that was interrupted goes on: in a world that is made again, and in one that outlived the process."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from scripted import ScriptedEngine
from tickets import Outside, next_command

from lifelong.agents import DirectStrategy, Job, NewSteps, Run
from lifelong.agents.strategies.resume import INTERRUPTED, deeds_of, take_up
from lifelong.core import Action, Observation, Recall, Reward, Step, Task, ToolResult, reply_text, tool_call
from lifelong.envs.tools.environment import TicketEnvironment


class Memory:
    """A journal that keeps what the record would."""

    def __init__(self) -> None:
        self.runs: dict[str, list[Step]] = {}
        self.writes = 0

    def keep(self, some: Sequence[NewSteps]) -> None:
        self.writes += 1
        for kept in some:
            self.runs.setdefault(kept.run, [])[kept.position :] = kept.steps


def whole(environment: TicketEnvironment, task: Task) -> tuple[Run, Memory]:
    journal = Memory()
    [run] = DirectStrategy(ScriptedEngine(next_command)).act([Job(task=task, environment=environment, id="r", journal=journal)])
    return run, journal


@pytest.mark.parametrize("make", [TicketEnvironment, Outside])
def test_every_step_is_kept_as_it_happens(make: type[TicketEnvironment]) -> None:
    environment = make()
    [task] = environment.tasks("train", 1)
    run, journal = whole(environment, task)
    assert tuple(journal.runs["r"]) == run.steps


def test_a_run_that_ends_with_its_first_action_is_not_kept_apart() -> None:
    class Short(TicketEnvironment):
        max_steps = 1

    [task] = Short().tasks("train", 1)
    assert whole(Short(), task)[1].writes == 0


@pytest.mark.parametrize("make", [TicketEnvironment, Outside])
def test_it_goes_on_from_every_step(make: type[TicketEnvironment]) -> None:
    [task] = make().tasks("train", 1)
    undisturbed, _ = whole(make(), task)
    # A result and its reward are kept at once.
    ends = [length for length in range(1, len(undisturbed.steps)) if not isinstance(undisturbed.steps[length], Reward)]
    for length in (*ends, len(undisturbed.steps)):
        environment, engine, journal = make(), ScriptedEngine(next_command), Memory()
        if isinstance(environment, Outside):
            before = environment.spawn()
            before.reset(options={"task": task})
            for deed, _, result in deeds_of(undisturbed.steps[:length]):
                if result is not None:
                    before.step(deed)
            environment.done.clear()
        known = undisturbed.steps[:length]
        journal.runs["r"] = list(known)
        [run] = DirectStrategy(engine).act([Job(task=task, environment=environment, id="r", steps=known, journal=journal)])
        assert run.outcome.success
        assert journal.runs["r"] == list(run.steps) or length == len(undisturbed.steps)
        finished = sum(isinstance(step, ToolResult) for step in known)
        lost = any(step.text == INTERRUPTED for step in run.steps if isinstance(step, ToolResult))
        if isinstance(environment, Outside):
            assert len(environment.done) == sum(isinstance(step, ToolResult) for step in undisturbed.steps) - finished
            assert lost == isinstance(known[-1], Action)
        else:
            assert not lost
            assert run.steps == undisturbed.steps
            assert len(engine.requests) == sum(isinstance(step, Action) for step in undisturbed.steps) - finished


def test_a_world_that_does_not_come_again_is_begun_anew() -> None:
    environment, engine, journal = TicketEnvironment(), ScriptedEngine(next_command), Memory()
    [task] = environment.tasks("train", 1)
    undisturbed, _ = whole(environment, task)
    other: list[Step] = [*undisturbed.steps[:2], ToolResult(text="something else"), Reward(text=""), *undisturbed.steps[4:7]]
    journal.runs["r"] = list(other)
    [run] = DirectStrategy(engine).act([Job(task=task, environment=environment, id="r", steps=tuple(other), journal=journal)])
    assert run.steps == undisturbed.steps
    assert journal.runs["r"] == list(undisturbed.steps)


def test_what_was_recalled_stands_where_it_stood() -> None:
    environment = TicketEnvironment()
    [task] = environment.tasks("train", 1)
    recall = Recall(text="Lesson: look first.", lessons=("l",))
    [first] = DirectStrategy(ScriptedEngine(next_command)).act([Job(task=task, environment=environment, recall=recall)])
    job = Job(task=task, environment=environment, recall=recall, steps=first.steps[:5])
    [again] = DirectStrategy(ScriptedEngine(next_command)).act([job])
    assert again.steps == first.steps


def test_deeds_are_read_with_their_results() -> None:
    calls = (tool_call("a", {}, "1"), tool_call("b", {}, "2"))
    steps = [
        Observation(text="x"),
        Action(text="look"),
        ToolResult(text="seen"),
        Action(text="", tool_calls=calls),
        ToolResult(text="did", tool_call_id="1"),
    ]
    found = [(deed, result.text if result else None) for deed, _, result in deeds_of(steps)]
    assert found == [("look", "seen"), (reply_text("", [calls[0]]), "did"), (reply_text("", [calls[1]]), None)]


def test_a_lost_result_is_reported_and_nothing_is_repeated() -> None:
    environment = Outside()
    [task] = environment.tasks("train", 1)
    environment.reset(options={"task": task})
    first = environment.demonstrate(task).actions[0]
    taken = take_up(environment.spawn(), task, 0, [Observation(text=task.text), Action(text=first)])
    assert [step.text for step in taken.steps] == [task.text, first, INTERRUPTED]
    assert environment.done == []
