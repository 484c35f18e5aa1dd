"""Wake: what fails costs its help and not the answer."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from scripted import open_scripted
from toy import ToyEnvironment, open_toy, run_tasks, unlike_the_base

from lifelong.core import Adapter, EngineUnreachable, Task, ToolSpecification, Verdict, reply_text
from lifelong.core.messages import tool_call
from lifelong.orchestrator.skills import TOOL_CALLS
from lifelong.orchestrator.wake import plan, without_tools


def test_memory_and_perception_may_fail_and_the_answer_goes_out(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_toy(tmp_path, tiny_model) as learner:

        def broken(*_: object, **__: object) -> None:
            raise OSError("the encoder's files are gone")

        monkeypatch.setattr("lifelong.perception.HashedEncoder.encode", broken)
        episode = learner.wake(Task(id="1", goal="Hello", environment="chat"))
        assert episode.answer
        assert learner.record.episodes.get(episode.id) == episode
        assert learner.status().faults == {"encoder": 1}


def test_a_dead_engine_is_an_error_and_nothing_is_recorded(tiny_model: Path, tmp_path: Path) -> None:
    with open_toy(tmp_path, tiny_model) as learner:
        learner._components.engine.close()
        with pytest.raises(EngineUnreachable):
            learner.wake(Task(id="1", goal="Hello", environment="chat"))
        assert learner.record.episodes.count() == 0


def test_an_unknown_task_may_be_declined(tiny_model: Path, tmp_path: Path) -> None:
    with open_toy(tmp_path, tiny_model, **{"wake.abstain_on_unknown": True, "wake.control_share": 0.0}) as learner:
        episode = learner.wake(Task(id="1", goal="Fold a crane.", environment="chat"))
        assert "not learned" in episode.answer
        assert episode.outcome.success is None
        assert learner.status().novel == 1


@pytest.mark.slow
def test_an_adapter_whose_files_are_gone_costs_its_help_and_not_the_answer(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        run_tasks(learner, lamps)
        [night] = learner.sleep()
    shutil.rmtree(tmp_path / "adapters" / night.adapter)
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        [episode] = learner.wake_many(lamps.tasks("test", 1), lamps, ids=["after"])
        assert episode.answer
        assert episode.adapter == ""
        assert learner.status().faults["adapter"] >= 1


LOOK = cast(ToolSpecification, {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}})


def test_the_adapter_of_tool_calls_serves_unknown_requests_with_tools_alone(tmp_path: Path) -> None:
    """What such a request asks for is new, but calling tools was learned and examined on requests that were as new."""
    with open_scripted(tmp_path) as learner:
        adapter = Adapter(name="lifelong-v0001", path=str(tmp_path), base="base", rank=8, tenant="default", target=TOOL_CALLS)
        learner.record.adapters.publish(adapter, [TOOL_CALLS])
        asked = [
            Task(id="1", goal="Fold a crane.", environment="chat", tools=(LOOK,)),
            Task(id="2", goal="Fold a crane.", environment="chat"),
            Task(id="3", goal="Fold a crane.", environment="workshop", tools=(LOOK,)),
            Task(id="4", goal="Fold a crane.", environment="chat", tools=(LOOK,), tenant="other"),
        ]
        plans = plan(learner._components, asked)
        assert [(one.adapter, one.skill) for one in plans] == [("lifelong-v0001", ""), ("", ""), ("", ""), ("", "")]
        assert plans[0].offered


def test_a_judged_request_with_tools_is_filed_by_its_form(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        for id, tools in (("with", (LOOK,)), ("without", ())):
            learner.wake(Task(id=id, goal="Fold a crane.", environment="chat", tools=tools))
        for episode in learner.record.episodes.find():
            learner.feedback(episode.id, success=False, correction="look")
        filed = {episode.task.id: episode.skill for episode in learner.record.episodes.find()}
        assert filed == {"with": TOOL_CALLS, "without": "chat"}


def test_a_run_that_called_another_tool_is_not_shown_to_a_request_with_tools(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        asked = Task(id="1", goal="Fold a crane.", environment="chat", tools=(LOOK,), skill="cranes")
        learner.wake(asked)
        [episode] = learner.record.episodes.find()
        learner.feedback(episode.id, success=False, correction=reply_text("", [tool_call("look", {}, "call_0")]))
        other = cast(ToolSpecification, {"type": "function", "function": {"name": "fold", "parameters": {"type": "object"}}})
        same, others = plan(learner._components, [replace(asked, id="2"), replace(asked, id="3", tools=(other,))])
        # What the user said stays a statement; only what was done about it is no example.
        shown = ["Example:" in one.recall.text for one in (same, others) if one.recall is not None]
        assert shown == [True, False]


def test_what_resembles_tool_calls_and_has_no_tools_is_unknown() -> None:
    near = Verdict(skill=TOOL_CALLS, known=True, novelty=0.1, confidence=0.9, accepted=True, reason="near")
    bare, equipped = Task(id="1", goal="Fold a crane."), Task(id="2", goal="Fold a crane.", tools=(LOOK,))
    assert without_tools(equipped, near) == near
    said = without_tools(bare, near)
    assert (said.known, said.accepted) == (False, False)
    assert "no tools" in said.reason
