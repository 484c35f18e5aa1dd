"""Episodes as they are written, and as earlier formats wrote them."""

from __future__ import annotations

import json

from lifelong.core import Action, Episode, Judge, Observation, Outcome, Task, tool_call, tool_specification

SECOND_FORMAT = (
    '{"id": "e1", "task": {"id": "t", "goal": "g", "context": "", "instructions": "i", "tenant": "default", "source": "database", '
    '"kind": "database"}, "steps": [{"step": "observation", "text": "g"}, {"step": "action", "text": "a", "chosen": false}], '
    '"outcome": {"success": true, "score": 1.0, "judge": "environment", "reason": ""}, "skill": "database", "model": "expert", '
    '"adapter": "", "lessons": [], "control": false, "verdict": {"skill": "database", "known": true, "novelty": 0.1, "confidence": 0.9, '
    '"success_chance": 0.5, "accepted": true}, "correction": "", "usage": {"prompt_tokens": 1, "completion_tokens": 2, "seconds": 0.5}, '
    '"created": 1.5}'
)
BEFORE_TOOLS = (
    '{"id": "e2", "task": {"id": "t", "goal": "g", "context": "", "instructions": "i", "tenant": "default", "environment": "database-v1", '
    '"skill": "database", "session": "s"}, "steps": [{"step": "observation", "text": "g"}, {"step": "recall", "text": "r", "lessons": '
    '["l"], "episodes": ["e1"]}, {"step": "action", "text": "a", "chosen": false, "likelihood": -0.5}, {"step": "tool_result", "text": '
    '"x", "error": true}, {"step": "reward", "text": "", "value": 0.0}], "outcome": {"success": false, "score": 0.0, "judge": "user", '
    '"reason": "no"}, "skill": "database", "model": "m", "adapter": "lifelong-v1", "demonstration": false, "lessons": ["l"], '
    '"control": false, "offered": true, "verdict": null, "answer_chance": 0.25, "correction": "c", "usage": {"prompt_tokens": 1, '
    '"completion_tokens": 2, "seconds": 0.5}, "created": 1.5}'
)


def test_records_of_the_second_format_open() -> None:
    episode = Episode.from_json(SECOND_FORMAT)
    assert (episode.task.environment, episode.task.skill, episode.demonstration, episode.model) == ("database", "database", True, "")
    assert episode.verdict is not None
    assert episode.verdict.accepted
    assert (episode.outcome.evidence, episode.previous, episode.task.tools) == ("", "", ())


def test_records_from_before_tools_open_and_are_written_alike() -> None:
    episode = Episode.from_json(BEFORE_TOOLS)
    assert (episode.answer, episode.outcome.judge) == ("a", Judge.USER)
    assert episode.to_json() == BEFORE_TOOLS


def test_an_episode_with_tools_is_read_again() -> None:
    call = tool_call("route", {"queue": "billing"}, "call_1")
    episode = Episode(
        id="e",
        task=Task(id="t", goal="g", tools=(tool_specification("route"),)),
        steps=(Observation(text="g"), Action(text="", tool_calls=(call,))),
        outcome=Outcome(success=True, judge=Judge.TOOL, evidence="exit code 0"),
        previous="d",
    )
    assert Episode.from_json(episode.to_json()) == episode
    assert json.loads(episode.to_json())["task"]["tools"][0]["function"]["name"] == "route"
    assert '"name": "route"' in episode.answer
    assert episode.trainable, "a verified tool call is an answer"
