"""A lesson that was not shown when a run began is shown once, behind the step that it warns of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from scripted import open_scripted

from lifelong.core import Episode, Judge, Lesson, LessonStatus, Message, Observation, Outcome, Recall, Task, tool_call
from lifelong.orchestrator import LifelongLearner
from lifelong.orchestrator.open_runs import OpenRun
from lifelong.orchestrator.open_runs.reminders import warns_of
from lifelong.orchestrator.run_state import Withdrawn

CALL = tool_call("query", {"sql": "SELECT amount2 FROM orders"}, "c1")
CONVERSATION: list[Message] = [
    {"role": "user", "content": "how much was ordered"},
    cast(Message, {"role": "assistant", "content": None, "tool_calls": [CALL]}),
    {"role": "tool", "content": "Error: no such column: amount2", "tool_call_id": "c1"},
]
TEXT = "Answers failed with “Error: no such column”. Before answering, compare every name and sign with those that the task gives."


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[LifelongLearner]:
    with open_scripted(tmp_path) as opened:
        yield opened


def begun(learner: LifelongLearner, **plan: Any) -> OpenRun:
    from dataclasses import replace

    task = Task(id="t", goal="how much was ordered", environment="chat", skill="orders")
    return learner.runs.begin(task, plan=replace(learner.runs.plan_nothing(task, id="r"), **plan), id="r")


def learn(learner: LifelongLearner, text: str = TEXT, id: str = "l") -> None:
    import numpy as np

    task = Task(id=f"e-{id}", goal="another question", environment="chat", skill="orders")
    evidence = Episode(
        id=f"e-{id}", task=task, steps=(Observation(text="x"),), outcome=Outcome(success=True, judge=Judge.USER), skill="orders"
    )
    learner.record.episodes.record(evidence, np.ones(learner._components.encoder.dimensions, dtype=np.float32))
    lesson = Lesson(id=id, tenant="default", skill="orders", text=text, episodes=(evidence.id,), status=LessonStatus.ACTIVE)
    learner.record.lessons.record(lesson)


def test_a_lesson_that_came_later_stands_behind_the_step_it_warns_of_and_is_credited(learner: LifelongLearner) -> None:
    run = begun(learner)
    assert learner.runs.reminder(run, CONVERSATION) is None
    learn(learner)
    found = learner.runs.reminder(run, CONVERSATION)
    assert found is not None
    assert found.lessons == ("l",)
    assert "no such column" in found.text
    run.append(CONVERSATION[1:])
    run.remind(found)
    run = learner.runs.get("r")
    assert learner.runs.reminder(run, CONVERSATION) is None, "once in a run"
    run.act("I compare the names.")
    episode = run.finish(True)
    assert [step.name for step in episode.steps] == ["observation", "action", "tool_result", "recall", "action"]
    assert episode.lessons == ("l",)
    assert learner.record.lessons.get("l").helped == 1


def test_other_steps_and_other_arms_get_none(learner: LifelongLearner) -> None:
    learn(learner)
    run = begun(learner)
    fine = [*CONVERSATION[:2], cast(Message, {"role": "tool", "content": "42 rows", "tool_call_id": "c1"})]
    assert learner.runs.reminder(run, fine) is None
    assert learner.runs.reminder(run, CONVERSATION[:1]) is None
    learner.record.state.put(Withdrawn(tenant="default", skill="orders"))
    assert learner.runs.reminder(run, CONVERSATION) is None


def test_the_control_arm_gets_nothing_and_the_placebo_arm_as_much_of_nothing(learner: LifelongLearner) -> None:
    learn(learner)
    assert learner.runs.reminder(begun(learner, control=True), CONVERSATION) is None
    learner.record.open_runs.discard("r")
    found = learner.runs.reminder(begun(learner, placebo=True), CONVERSATION)
    assert isinstance(found, Recall)
    assert found.lessons == ()
    assert "column" not in found.text
    assert len(found.text) > 60


@pytest.mark.parametrize(
    ("text", "step", "warned"),
    [
        (TEXT, "Error: no such column: x", True),
        (TEXT, "no such table", False),
        ("Do not repeat “ls -la /tmp” when it has just failed to help; do something else.", "ls -la /tmp\ntotal 0", True),
        ("Check the queue's name before routing tickets.", "route queue tickets name: unknown", True),
        ("Check the queue's name before routing tickets.", "the weather is fine", False),
        ("Be brief.", "brief", False),
    ],
)
def test_what_a_lesson_warns_of(text: str, step: str, warned: bool) -> None:
    lesson = Lesson(id="l", tenant="t", skill="s", text=text, episodes=())
    assert warns_of(lesson, step) is warned
