"""What is held of a tenant, over HTTP: `GET /v1/lifelong/memory`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ...core import MalformedTask
from ...memory import Memory
from ...memory.turns.times import moment

MOST = 100
"""Most hits of one request."""


class Remembers(Protocol):
    """What the route needs of `LifelongLearner`."""

    def recall(self, question: str, k: int = 10, *, tenant: str = "default", as_of: float | None = None) -> Sequence[Memory]:
        """What a tenant's turns say on a question, the most probable first."""


def found(learner: Remembers, tenant: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The answer to a query: `q`, and where wanted `limit` and `as_of` (seconds since the epoch). Raises `MalformedTask`."""
    question = query.get("q", "")
    if not question.strip():
        raise MalformedTask("say what is sought: /v1/lifelong/memory?q=WORDS")
    limit = int(_number("limit", query.get("limit", "10"), 1, MOST))
    as_of = _number("as_of", query["as_of"], 0, 1e12) if query.get("as_of") else None
    return {"object": "list", "data": [as_json(one) for one in learner.recall(question, limit, tenant=tenant, as_of=as_of)]}


def as_json(one: Memory) -> dict[str, Any]:
    """One hit with its reason, source and age."""
    return {
        "text": one.text,
        "speaker": one.speaker,
        "kind": str(one.kind),
        "session": one.session,
        "episode": one.episode,
        "time": moment(one.created, "%Y-%m-%dT%H:%M:%SZ"),
        "why": one.why,
        "score": round(one.probability, 4),
        "superseded": one.superseded,
    }


def _number(name: str, value: str, least: float, most: float) -> float:
    try:
        number = float(value)
    except ValueError:
        raise MalformedTask(f"{name} is {value[:40]!r}; it must be a number") from None
    if not least <= number <= most:
        raise MalformedTask(f"{name} is {value[:40]}; it must be between {least:g} and {most:g}")
    return number
