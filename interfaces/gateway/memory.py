"""What is held of a tenant, over HTTP: `/v1/lifelong/memory`, `/v1/lifelong/memory/{number}`, `/v1/lifelong/profile`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Protocol

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse

from ...core import MalformedTask, Receipt
from ...memory import Memory, ProfileLine
from ...memory.turns.times import moment
from ...orchestrator.held import Held
from .requests import json_body, validated
from .wire import MemoryBody
from .workers import Workers

ONE_MEMORY = "/v1/lifelong/memory/{number}"
"""Path of one thing that was said."""
STAMP = "%Y-%m-%dT%H:%M:%SZ"
"""How a moment is written in UTC."""
MOST = 100
"""Most hits of one request."""


class Remembers(Protocol):
    """What the routes need of `LifelongLearner`."""

    def memory(self, number: int, *, tenant: str = "default") -> Held:
        """One thing that was said, with what is known of it. Raises `NothingFound`."""

    def profile(self, *, tenant: str = "default") -> Sequence[ProfileLine]:
        """What is known of a person."""

    def edit_memory(self, number: int, text: str, *, tenant: str = "default") -> Memory:
        """Put other words in the place of what a person stated."""

    def pin_memory(self, number: int, pinned: bool = True, *, tenant: str = "default") -> Held:
        """Keep what a person stated in the profile always, or no longer."""

    def forget_memory(self, number: int, *, tenant: str = "default", rebuild: bool = True) -> Receipt:
        """Forget every exchange in which this was said."""

    def recall(self, question: str, k: int = 10, *, tenant: str = "default", as_of: float | None = None) -> Sequence[Memory]:
        """What a tenant's turns say on a question, the most probable first."""


class MemoryRoutes:
    """The handlers over what a learner holds of its tenants; `tenant` says whose request it is, `calls` asks the record."""

    def __init__(self, learner: Remembers, tenant: Callable[..., str], calls: Workers) -> None:
        self._learner, self._tenant, self._calls = learner, tenant, calls
        self.reads: Mapping[str, Callable[..., Any]] = {
            "/v1/lifelong/memory": self.found,
            ONE_MEMORY: self.held,
            "/v1/lifelong/profile": self.profile,
        }
        """Handlers of `GET` by path."""
        self.writes: Mapping[str, tuple[Callable[..., Any], type[BaseModel]]] = {ONE_MEMORY: (self.change, MemoryBody)}
        """Handlers of `POST` by path, with their bodies."""

    async def found(self, request: Request) -> JSONResponse:
        """What a tenant's turns say on a question."""
        return await self._answer(found, self._tenant(request), dict(request.query_params))

    async def held(self, request: Request) -> JSONResponse:
        """One thing that was said, with what is known of it. Raises `NothingFound`."""
        return await self._answer(held, self._tenant(request), request.path_params["number"])

    async def change(self, request: Request) -> JSONResponse:
        """Edit or pin one thing that was said. Raises `NothingFound`."""
        body = validated(MemoryBody, await json_body(request))
        return await self._answer(change, self._tenant(request, body.user), request.path_params["number"], body)

    async def forget(self, request: Request) -> JSONResponse:
        """Forget one thing that was said, and answer with the receipt. Raises `NothingFound`."""
        return await self._answer(forget, self._tenant(request), request.path_params["number"])

    async def profile(self, request: Request) -> JSONResponse:
        """What is known of a person."""
        return await self._answer(profile, self._tenant(request))

    async def _answer(self, read: Callable[..., dict[str, Any]], *given: object) -> JSONResponse:
        return JSONResponse(await self._calls.call(partial(read, self._learner, *given)))


def found(learner: Remembers, tenant: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The answer to a query: `q`, and where wanted `limit` and `as_of` (seconds since the epoch). Raises `MalformedTask`."""
    question = query.get("q", "")
    if not question.strip():
        raise MalformedTask("say what is sought: /v1/lifelong/memory?q=WORDS")
    limit = int(_number("limit", query.get("limit", "10"), 1, MOST))
    as_of = _number("as_of", query["as_of"], 0, 1e12) if query.get("as_of") else None
    return {"object": "list", "data": [as_json(one) for one in learner.recall(question, limit, tenant=tenant, as_of=as_of)]}


def held(learner: Remembers, tenant: str, number: str) -> dict[str, Any]:
    """One thing that was said, with what is known of it. Raises `MalformedTask` and `NothingFound`."""
    return held_json(learner.memory(whole_number(number), tenant=tenant))


def change(learner: Remembers, tenant: str, number: str, body: MemoryBody) -> dict[str, Any]:
    """Edit or pin one thing that was said; answers with it as it is held then. Raises `MalformedTask` and `NothingFound`."""
    row = whole_number(number)
    if body.text is not None:
        row = learner.edit_memory(row, body.text, tenant=tenant).number
    if body.pinned is not None:
        return held_json(learner.pin_memory(row, body.pinned, tenant=tenant))
    return held_json(learner.memory(row, tenant=tenant))


def forget(learner: Remembers, tenant: str, number: str) -> dict[str, Any]:
    """Forget one thing that was said; adapters that saw it are made again by the next night. Raises `MalformedTask`, `NothingFound`."""
    return asdict(learner.forget_memory(whole_number(number), tenant=tenant, rebuild=False))


def profile(learner: Remembers, tenant: str) -> dict[str, Any]:
    """What is known of a person, each line with its source and age."""
    return {"object": "list", "data": [profile_json(line) for line in learner.profile(tenant=tenant)]}


def profile_json(line: ProfileLine) -> dict[str, Any]:
    """One line of a profile."""
    plain = {"text": line.text, "topic": line.topic.name.lower(), "speaker": line.speaker}
    return {**plain, "since": moment(line.since, STAMP), "episode": line.episode, "number": line.number}


def held_json(one: Held) -> dict[str, Any]:
    """One thing that was said, with what is known of it."""
    said = [moment(at, STAMP) for at in one.said]
    more = {"said": said, "pinned": one.pinned, "profile": one.profile, "before": one.before, "after": one.after, "shown": one.shown}
    return {name: value for name, value in as_json(one.memory).items() if name not in ("why", "score", "superseded")} | more


def whole_number(value: str) -> int:
    """The number of a turn. Raises `MalformedTask`."""
    if not (value.isascii() and value.isdecimal() and len(value) < 19):
        raise MalformedTask(f"{value[:40]!r} is no number of a memory; take one from `lifelong memory list`")
    return int(value)


def as_json(one: Memory) -> dict[str, Any]:
    """One hit with its reason, source and age."""
    return {
        "number": one.number,
        "text": one.text,
        "speaker": one.speaker,
        "kind": str(one.kind),
        "session": one.session,
        "episode": one.episode,
        "time": moment(one.created, STAMP),
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
