"""Sessions and outcomes over HTTP: what happened in a conversation, and how a run of it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

from ...core import Episode, Judge, Message
from ...core.steps import step_to_json
from ...orchestrator.observed import Observer
from ...orchestrator.open_runs import Runs, Session
from .wire import FeedbackBody, OutcomeBody

SOURCES = {"verifier": Judge.VERIFIER, "user": Judge.USER}
MOST_SESSIONS = 1000


def _nobody(episode: Episode) -> None:
    """Told of an outcome, does nothing."""


def list_sessions(runs: Runs, tenant: str, limit: int) -> dict[str, Any]:
    """The newest sessions of a tenant."""
    found = runs.sessions(tenant=tenant, limit=max(1, min(limit, MOST_SESSIONS)))
    return {"object": "list", "data": [shown_session(one) for one in found]}


def shown_session(session: Session) -> dict[str, Any]:
    """A session as a list shows it."""
    return asdict(session)


def read_session(runs: Runs, tenant: str, id: str) -> dict[str, Any]:
    """Everything that happened in a session, each turn once. Raises `NothingFound`."""
    return {"id": id, "episodes": [shown_episode(one) for one in runs.session(id, tenant=tenant)]}


def shown_episode(episode: Episode) -> dict[str, Any]:
    """A run as clients see it."""
    outcome = {**asdict(episode.outcome), "judge": episode.outcome.judge.value}
    steps = [{"type": one.name, **{name: value for name, value in step_to_json(one).items() if name != "step"}} for one in episode.steps]
    about = {
        name: getattr(episode, name)
        for name in ("id", "previous", "skill", "model", "adapter", "control", "placebo", "confidence", "created")
    }
    return {
        **about,
        "task": episode.task.goal,
        "outcome": {**outcome, "source": outcome["judge"] if episode.outcome.success is not None else "unknown"},
        "correction": episode.correction,
        "lessons": list(episode.lessons),
        "other_memories": list(episode.other_memories),
        "usage": asdict(episode.usage),
        "steps": steps,
    }


def take_outcome(observer: Observer, tenant: str, body: OutcomeBody, judged_as: Callable[[Episode], None] = _nobody) -> dict[str, Any]:
    """Judge a run, of which `judged_as` is told. Raises `NothingFound` and `MalformedTask`."""
    given = body.correction
    correction: str | Message = given if isinstance(given, str) else _message(given.model_dump())
    judged = observer.judge(
        tenant=tenant,
        id=body.id,
        session=body.session,
        success=body.success,
        score=body.score,
        judge=SOURCES[body.source],
        reason=body.reason,
        correction=correction,
    )
    judged_as(judged)
    return {"episode_id": judged.id, "session": judged.task.session, "outcome": shown_episode(judged)["outcome"]}


def take_feedback(observer: Observer, tenant: str, body: FeedbackBody, judged_as: Callable[[Episode], None] = _nobody) -> dict[str, Any]:
    """A user's verdict on the run of an answer, of which `judged_as` is told. Raises `NothingFound` and `MalformedTask`."""
    judged = observer.judge(
        tenant=tenant, id=body.episode_id, success=body.verdict, judge=Judge.USER, reason=body.reason, correction=body.correction
    )
    judged_as(judged)
    outcome = judged.outcome
    return {"episode_id": judged.id, "success": outcome.success, "judge": outcome.judge, "trainable": judged.trainable}


def _message(given: dict[str, Any]) -> Message:
    calls = [{"id": one["id"], "type": "function", "function": one["function"]} for one in given["tool_calls"]]
    return cast(Message, {"role": "assistant", "content": given["content"], "tool_calls": calls})
