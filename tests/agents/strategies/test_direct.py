from __future__ import annotations

import threading

import pytest
from scripted import ScriptedEngine
from toy import ToyEnvironment

from lifelong.agents import Job, RepairStrategy, replay
from lifelong.agents.strategies import direct
from lifelong.core import Action, Judge, MalformedTask, Observation, Recall, Reward, Task, ToolResult
from lifelong.core.errors import DemonstrationFailed
from lifelong.core.steps import MEMORY_FRAME
from lifelong.envs import DatabaseEnvironment, NavigationEnvironment
from lifelong.serving import ChatRequest


def test_a_run_is_a_list_of_typed_steps_that_the_environment_judges() -> None:
    environment = DatabaseEnvironment()
    [task] = environment.tasks("train", 1)
    gold = environment.demonstrate(task).actions[-1]
    [run] = RepairStrategy(ScriptedEngine(lambda _: gold)).act([Job(task=task, environment=environment)])
    assert [type(step) for step in run.steps] == [Observation, Action, ToolResult, Reward]
    assert (run.outcome.success, run.outcome.score, run.outcome.judge) == (True, 1.0, Judge.ENVIRONMENT)
    assert run.usage.tokens == 12


def test_a_refused_answer_is_tried_again_without_being_shown() -> None:
    environment = DatabaseEnvironment()
    [task] = environment.tasks("train", 1)
    gold = environment.demonstrate(task).actions[-1]
    engine = ScriptedEngine(lambda request: gold if request.temperature else "SELECT a FROM")
    [run] = RepairStrategy(engine).act([Job(task=task, environment=environment, tries=2)])
    assert run.outcome.success
    assert [step.error for step in run.steps if isinstance(step, ToolResult)] == [True, False]
    first, second = engine.requests
    assert first.messages == second.messages
    assert (first.temperature, first.seed) != (second.temperature, second.seed)
    [once] = RepairStrategy(engine).act([Job(task=task, environment=environment, tries=1)])
    assert once.outcome.success is False
    assert "Error" in once.outcome.reason


def test_runs_go_side_by_side_and_apart() -> None:
    environment = ToyEnvironment()
    tasks = environment.tasks("train", 5)
    engine = ScriptedEngine(lambda request: "blue" if "floor 4" in request.messages[-1]["content"] else "red")
    runs = RepairStrategy(engine).act([Job(task=task, environment=environment) for task in tasks])
    assert engine.batches == [5]
    assert [run.outcome.success for run in runs] == [False, False, True, False, False]


def test_chosen_actions_see_the_goal_and_the_last_state() -> None:
    environment = NavigationEnvironment()
    [task] = environment.tasks("train", 1)
    seen: list[ChatRequest] = []

    def wander(request: ChatRequest) -> str:
        seen.append(request)
        return request.choices[0]

    [run] = RepairStrategy(ScriptedEngine(wander)).act([Job(task=task, environment=environment)])
    assert run.outcome.success is not None
    assert len(seen) > 2
    assert all(len(request.messages) == 2 for request in seen)
    assert seen[0].messages[-1]["content"] == task.text
    assert seen[2].messages[-1]["content"].startswith(task.goal)


def test_recall_is_data_in_the_last_turn() -> None:
    task = Task(id="1", goal="Hello", instructions="Be brief.")
    engine = ScriptedEngine(lambda _: "Hi")
    [run] = RepairStrategy(engine).act(
        [Job(task=task, recall=Recall(text="Lesson: greet"), history=({"role": "assistant", "content": "Yes?"},))]
    )
    roles = [message["role"] for message in engine.requests[0].messages]
    assert roles == ["system", "assistant", "user"]
    assert engine.requests[0].messages[-1]["content"] == f"Hello\n<memory>\n{MEMORY_FRAME}\nLesson: greet\n</memory>"
    assert run.outcome.success is None


def test_a_demonstration_is_judged_like_any_run() -> None:
    environment = ToyEnvironment(right="green")
    [task] = environment.tasks("train", 1)
    assert replay(task, environment).outcome.success
    with pytest.raises(MalformedTask):
        replay(Task(id="elsewhere", goal="x"), environment)


def test_an_expert_that_fails_or_hangs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    environment, ended = ToyEnvironment(right="green"), threading.Event()
    [task] = environment.tasks("train", 1)

    def broken(*_: object) -> None:
        raise KeyError("no way")

    monkeypatch.setattr(ToyEnvironment, "demonstrate", broken)
    with pytest.raises(DemonstrationFailed, match=f"task '{task.id}' of {environment.id}: KeyError: 'no way'"):
        replay(task, environment)
    monkeypatch.setattr(ToyEnvironment, "demonstrate", lambda *_: ended.wait(30))
    monkeypatch.setattr(direct, "STEP_SECONDS", 0.05)
    with pytest.raises(DemonstrationFailed, match=r"the expert was too slow: no answer within 0\.05 seconds"):
        replay(task, environment)
    ended.set()
