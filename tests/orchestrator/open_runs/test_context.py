"""`learner.run`: somebody else's agent as a block of code."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from scripted import open_scripted

from lifelong.core import Judge, Task, ToolResult

TASK = Task(id="t", goal="Route ticket T7.", skill="tickets")


def test_a_run_is_recorded_with_its_outcome(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        with learner.run(TASK) as run:
            assert run.recall == ""
            assert run.verdict.skill == ""
            run.act("I look the customer up.")
            run.tool("lookup", {"customer": "C1"}, {"tier": "gold"})
            run.tool("route", {"queue": "billing"}, "no such queue", error=True)
            episode = run.finish(success=True, score=0.5)
        assert learner.record.episodes.get(run.id) == episode
        assert (episode.outcome.success, episode.outcome.score, episode.outcome.judge) == (True, 0.5, Judge.VERIFIER)
        kinds = [step.name for step in episode.steps]
        assert kinds == ["observation", "action", "action", "tool_result", "action", "tool_result"]
        assert [step.text for step in episode.steps if isinstance(step, ToolResult)] == ['{"tier": "gold"}', "no such queue"]


def test_an_exception_ends_the_run_with_its_reason(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:

        def divide() -> None:
            with learner.run(TASK, id="run") as run:
                run.act("I divide.")
                _ = 1 / 0

        with pytest.raises(ZeroDivisionError):
            divide()
        episode = learner.record.episodes.get("run")
        assert (episode.outcome.success, episode.answer) == (None, "I divide.")
        assert episode.outcome.reason == "the run ended with ZeroDivisionError: division by zero"
        assert learner.runs.open() == []


def test_a_block_left_without_finish_is_recorded(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        with learner.run(TASK, id="run") as run:
            run.act("Done.")
            run.judge(True, judge=Judge.TOOL, evidence="exit code 0")
        assert learner.record.episodes.get("run").outcome.judge is Judge.TOOL


def test_an_asynchronous_agent_has_the_same_run(tmp_path: Path) -> None:
    async def agent() -> str:
        async with learner.run(TASK, id="run") as run:
            assert run.recall == ""
            await run.act("I look it up.")
            await asyncio.gather(*(run.tool("lookup", {"customer": number}, number) for number in range(4)))
            assert await run.reward(0.5) == 11
            episode = await run.finish(success=True)
            return episode.id

    async def failing() -> None:
        async with learner.run(TASK, id="failing") as run:
            await run.act("I wait.")
            raise ValueError("no")

    with open_scripted(tmp_path) as learner:
        assert asyncio.run(agent()) == "run"
        assert len(learner.record.episodes.get("run").steps) == 11
        with pytest.raises(ValueError, match="no"):
            asyncio.run(failing())
        assert "ValueError" in learner.record.episodes.get("failing").outcome.reason


def test_lessons_are_credited_with_the_outcome_of_the_whole_run(tmp_path: Path) -> None:
    from lifelong.core import Lesson, LessonStatus

    with open_scripted(tmp_path) as learner:
        with learner.run(TASK) as run:
            first = run.finish(success=True)
        learner.record.lessons.record(
            Lesson(id="l", tenant="default", skill="tickets", text="Look first.", episodes=(first.id,), status=LessonStatus.ACTIVE)
        )
        with learner.run(TASK) as run:
            assert "Look first." in run.recall
            episode = run.finish(success=True)
        assert (episode.lessons, episode.offered) == (("l",), True)
        assert learner.record.lessons.find(tenant="default")[0].helped == 1
