"""The door for chat tools: an OpenAI-compatible server whose every answer goes through `wake` and can be judged.

The whole answer is made and recorded before its first piece is sent (law 5), also when it is streamed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from fastapi import FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException

from ...core import EngineUnreachable, Episode, LifelongError, MalformedTask, Message, NothingFound, StoreError, Task
from ...orchestrator.wake import AUXILIARY
from .body_limit import BodyLimit
from .wire import ChatBody, FeedbackBody

NAME = "lifelong"
"""The model that clients ask for: the learner itself, which chooses the adapter."""

AUXILIARY_MARKS = ("### Task:", "<chat_history>")
"""How Open WebUI's own requests for titles, tags and follow-ups begin, and what they contain."""

PIECE = 24
"""Characters in one piece of a streamed answer."""

STATUS: tuple[tuple[type[LifelongError], int, str], ...] = (
    (MalformedTask, 400, "invalid_request_error"),
    (NothingFound, 404, "invalid_request_error"),
    (EngineUnreachable, 503, "service_unavailable"),
    (StoreError, 503, "service_unavailable"),
)
"""HTTP status and OpenAI error type of each named error; any other is a 500."""


class Learner(Protocol):
    """What the gateway needs of `LifelongLearner`. Called from several threads at once."""

    def wake(self, task: Task, *, history: Sequence[Message] = (), temperature: float = 0.0, max_tokens: int | None = None) -> Episode:
        """Handle one task; the episode is durable."""

    def feedback(self, episode_id: str, *, tenant: str, success: bool | None, correction: str = "", reason: str = "") -> Episode:
        """Take a user's verdict. Raises `NothingFound` or `MalformedTask`."""

    def models(self) -> list[str]:
        """The base model and every live adapter."""


def create_app(learner: Learner) -> FastAPI:
    """The gateway over an open learner, which the caller closes.

    `POST /v1/chat/completions`, `GET /v1/models`, `POST /feedback`, `GET /health`. A completion's `id` is its episode's.
    The tenant is the header `X-Lifelong-Tenant`, else the body's `user`, else `default`; nobody proves who they are,
    so the door is for loopback or stands behind one that does. `X-Lifelong-Learn: no` keeps a request from being learned.
    """
    app = FastAPI(title="lifelong", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(BodyLimit)
    app.add_exception_handler(LifelongError, _named_error)
    app.add_exception_handler(RequestValidationError, _invalid_body)
    app.add_exception_handler(HTTPException, _http_error)

    # Plain functions: the framework runs each in a thread of its pool, since the learner blocks.
    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        names = dict.fromkeys([NAME, *map(_shown, learner.models())])
        return {"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "lifelong"} for name in names]}

    @app.post("/v1/chat/completions", response_model=None)
    def chat(
        body: ChatBody, x_lifelong_tenant: str | None = Header(None), x_lifelong_learn: str | None = Header(None)
    ) -> JSONResponse | StreamingResponse:
        task, history = task_of(body, tenant=x_lifelong_tenant or body.user or "default", learn=(x_lifelong_learn or "").lower() != "no")
        _check_model(learner, body.model)
        episode = learner.wake(task, history=history, temperature=body.temperature or 0.0, max_tokens=body.token_limit)
        if body.stream:
            return StreamingResponse(_stream(episode, body), media_type="text/event-stream")
        return JSONResponse(completion(episode, body))

    @app.post("/feedback")
    def feedback(body: FeedbackBody, x_lifelong_tenant: str | None = Header(None)) -> dict[str, Any]:
        judged = learner.feedback(
            body.episode_id,
            tenant=x_lifelong_tenant or body.user or "default",
            success=body.verdict,
            correction=body.correction,
            reason=body.reason,
        )
        outcome = judged.outcome
        return {"episode_id": judged.id, "success": outcome.success, "judge": outcome.judge, "trainable": judged.trainable}

    return app


def _check_model(learner: Learner, model: str) -> None:
    """Raise `NothingFound` for a model that is not here; the usual name asks nobody, so that a sick record stops no answer."""
    if model != NAME and model not in (known := [_shown(name) for name in learner.models()]):
        raise NothingFound(f"there is no model {model!r} here; ask for {NAME!r}, or one of: {', '.join(known)}")


def _shown(model: str) -> str:
    """A model's name as clients see it: of a local directory its last part, since paths are nobody's business."""
    path = Path(model)
    return path.name if path.is_absolute() else model


def task_of(body: ChatBody, *, tenant: str, learn: bool = True) -> tuple[Task, list[Message]]:
    """The task in a conversation and the turns before it.

    System messages are the instructions, the last user message is the goal. The id is a hash of all that was said, so
    that the same request is the same task wherever tasks are drawn by their id. Raises `MalformedTask`.
    """
    instructions = "\n".join(message.text for message in body.messages if message.role in ("system", "developer"))
    turns: list[Message] = [
        {"role": "assistant" if message.role == "assistant" else "user", "content": message.text}
        for message in body.messages
        if message.role in ("user", "assistant") and message.text.strip()
    ]
    if not turns or body.messages[-1].role != "user" or not body.messages[-1].text.strip():
        raise MalformedTask("the last of messages must be a user's and must hold text")
    goal = turns[-1]["content"]
    said = json.dumps([tenant, instructions, turns])
    auxiliary = not learn or (goal.lstrip().startswith(AUXILIARY_MARKS[0]) and AUXILIARY_MARKS[1] in goal)
    task = Task(
        id=hashlib.sha256(said.encode()).hexdigest()[:32],
        goal=goal,
        instructions=instructions,
        tenant=tenant,
        environment=AUXILIARY if auxiliary else "chat",
    )
    return task, turns[:-1]


def completion(episode: Episode, body: ChatBody) -> dict[str, Any]:
    """An episode as a chat completion; what lies behind the answer is under `lifelong`."""
    message = {"role": "assistant", "content": episode.answer}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish_reason(episode, body)}
    return {**_envelope(episode, "chat.completion"), "choices": [choice], "usage": _usage(episode), "lifelong": _behind(episode)}


async def _stream(episode: Episode, body: ChatBody) -> AsyncIterator[str]:
    """Server-sent events: the role, the answer in pieces, the end, the usage if asked for, `[DONE]`."""
    envelope, answer = _envelope(episode, "chat.completion.chunk"), episode.answer
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": answer[start : start + PIECE]} for start in range(0, len(answer), PIECE)]
    for delta in deltas:
        yield _event({**envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    end = {"index": 0, "delta": {}, "finish_reason": _finish_reason(episode, body)}
    yield _event({**envelope, "choices": [end], "lifelong": _behind(episode)})
    if body.stream_options and body.stream_options.include_usage:
        yield _event({**envelope, "choices": [], "usage": _usage(episode)})
    yield "data: [DONE]\n\n"


def _event(payload: dict[str, Any]) -> str:
    return f"data: {json.dumps(payload, ensure_ascii=False)}\n\n"


def _envelope(episode: Episode, kind: str) -> dict[str, Any]:
    return {"id": episode.id, "object": kind, "created": int(episode.created), "model": NAME}


def _usage(episode: Episode) -> dict[str, int]:
    read, written = episode.usage.prompt_tokens, episode.usage.completion_tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _finish_reason(episode: Episode, body: ChatBody) -> str:
    limit = body.token_limit
    return "length" if limit is not None and episode.usage.completion_tokens >= limit else "stop"


def _behind(episode: Episode) -> dict[str, Any]:
    """What a tool may show beside the answer: who answered, with which lessons, and what perception said."""
    return {
        "model": _shown(episode.model),
        "adapter": episode.adapter,
        "skill": episode.skill,
        "lessons": list(episode.lessons),
        "control": episode.control,
        "verdict": asdict(episode.verdict) if episode.verdict else None,
    }


def _error(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": None}}, status, headers)


async def _named_error(request: Request, error: Exception) -> JSONResponse:
    status, kind = next(((status, kind) for named, status, kind in STATUS if isinstance(error, named)), (500, "api_error"))
    return _error(status, kind, str(error))


async def _invalid_body(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [f"{'.'.join(str(part) for part in one['loc'][1:]) or 'body'}: {one['msg']}" for one in error.errors()]
    return _error(400, "invalid_request_error", "; ".join(found))


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _error(
        error.status_code, "invalid_request_error", f"{request.method} {request.url.path}: {error.detail}", dict(error.headers or {})
    )
