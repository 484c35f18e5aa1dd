"""The gateway: a server of chat protocols whose every answer is remembered and can be judged.

Where the model runs here, or behind vLLM with adapters, an answer goes through `wake`, and is recorded before its first piece is sent.
Where the engine is only a URL, requests are passed on to it (`PassThrough`). Handlers are asynchronous and hand what blocks to bounded
pools of threads, so that `/health` and `/ready` answer under any load.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from threading import Event
from typing import Any, Protocol
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from ...core import (
    Codec,
    Conversation,
    EngineCodec,
    Episode,
    LifelongError,
    MalformedTask,
    Message,
    NothingFound,
    PassingCodec,
    Task,
    cancelled_by,
    check_cancelled,
)
from ...core.plugins import load_table
from ...core.settings import GatewaySettings
from ...orchestrator.effects import Effects
from ...orchestrator.observed import Observer
from ...orchestrator.open_runs import Runs
from ...orchestrator.run_state import Night
from ...serving import Engine, UpstreamAddress
from . import protocols
from .body_limit import MOST_BYTES, BodyLimit
from .clients import hints_of
from .conversation import NAME, reply_of, shown_model, task_of
from .engine_transport import EngineTransport, asks_engine, count_tokens
from .errors import codec_error, http_error, invalid_request, named_error, unexpected_error
from .memory import ONE_MEMORY, MemoryRoutes, Remembers
from .nights import NightRequests
from .pass_through import PLAIN_PATHS, PassThrough
from .protocols.anthropic_messages import AnthropicMessages
from .protocols.openai_chat import OpenAIChat
from .requests import json_body, tenant_of, validated, while_connected
from .sessions import list_sessions, read_session, take_feedback, take_outcome
from .telemetry.spans import Spans
from .wire import FeedbackBody, OutcomeBody, SleepBody
from .workers import Workers

CODECS: tuple[Codec, ...] = tuple(make() for make in load_table(protocols.__name__, protocols.MEMBERS))
"""The protocols that clients may speak; a new one is one file and one line in `MEMBERS` of `protocols`."""

CORS: Any = {
    "allow_methods": ["GET", "HEAD", "POST"],
    "allow_headers": ["*"],
    "expose_headers": ["X-Lifelong-Episode", "X-Lifelong-Session", "X-Lifelong-Recorded", "Retry-After"],
}
"""What pages of the origins in `gateway.origins` may send and read."""

COUNT_TOKENS = "/v1/messages/count_tokens"

SHORT_CALLS = 8
"""Threads for calls that ask no model: feedback, names of models. They do not queue behind answers."""


class Learner(Remembers, Protocol):
    """What the gateway needs of `LifelongLearner`. Called from several threads at once."""

    def wake(self, task: Task, *, history: Sequence[Message] = (), temperature: float = 0.0, max_tokens: int | None = None) -> Episode:
        """Handle one task; the episode is durable."""

    @property
    def engine(self) -> Engine:
        """Where the model runs."""

    @property
    def upstream(self) -> UpstreamAddress | None:
        """The server that requests are passed on to; None where the learner answers them itself."""

    @property
    def observer(self) -> Observer:
        """What remembers requests that pass by, and judges runs."""

    @property
    def runs(self) -> Runs:
        """Runs under way and recorded ones, session by session."""

    def models(self, tenant: str = "default") -> list[str]:
        """The base model and every adapter that serves the tenant."""

    def effects(self, *, tenant: str = "default") -> Effects:
        """What memory and adapters do for a tenant."""

    def start_sleep(self, *, tenant: str = "default") -> str:
        """Begin a night in the background, or name the tenant's night that runs already."""

    def night(self, id: str, *, tenant: str = "default") -> Night:
        """How a night stands. Raises `NothingFound` for one that the tenant never had."""


class Gateway:
    """The handlers over one learner, and the pools of threads that they use."""

    def __init__(self, learner: Learner, settings: GatewaySettings) -> None:
        self._learner = learner
        self._settings = settings
        self._nights = NightRequests(learner)
        self._spans = Spans()
        self.answers = Workers("answer", running=settings.max_running, waiting=settings.max_waiting)
        """Calls that ask a model."""
        self.calls = Workers("call", running=SHORT_CALLS, waiting=settings.max_waiting)
        """Calls that ask the record alone."""
        upstream = learner.upstream if learner is not None else None
        self.held = MemoryRoutes(learner, self.tenant, self.calls)
        """What is held of a tenant."""
        self.passing = PassThrough(learner.observer, upstream, settings) if upstream else None
        """Where requests are passed on; None where the learner answers them itself."""
        self.local = _local(learner, settings) if learner is not None and upstream is None else None
        """Where an engine here is asked directly: streams, tools and options of sampling, which `wake` does not take."""

    def tenant(self, request: Request, user: str | None = None) -> str:
        """Whose request it is. Raises `MalformedTask`."""
        return tenant_of(request, user, required=self._settings.require_tenant)

    async def answer(self, codec: Codec, request: Request) -> Response:
        """One request of a chat protocol."""
        if self.passing is not None and isinstance(codec, PassingCodec):
            return await self.passing.answer(codec, request)
        body = await json_body(request)
        if self.local is not None and isinstance(codec, EngineCodec) and asks_engine(codec, body):
            await self.calls.call(partial(self._check_model, codec.parse(body), request))
            return await self.local.answer(codec, request)
        span = self._spans.request(codec.name, request.scope["headers"])
        try:
            cancelled = Event()
            answering = partial(self._answer, codec, body, request, cancelled)
            work = self.answers.call(answering, request.scope.get("lifelong.body_bytes", 0))
            episode, conversation = await while_connected(request.receive, work, cancelled)
            span.asked(conversation)
            span.recorded(episode)
        finally:
            span.end()
        reply, shown = reply_of(episode), {"X-Lifelong-Episode": episode.id}
        if episode.task.session:
            shown["X-Lifelong-Session"] = quote(episode.task.session)
        if conversation.stream:
            return StreamingResponse(_each(codec.stream(reply, conversation)), media_type="text/event-stream", headers=shown)
        return JSONResponse(codec.reply(reply, conversation), headers=shown)

    def _answer(self, codec: Codec, body: object, request: Request, cancelled: Event) -> tuple[Episode, Any]:
        conversation = codec.parse(body)
        tenant = self.tenant(request, conversation.user)
        hints = hints_of(request.scope["headers"], body if isinstance(body, dict) else {})
        learn = request.headers.get("x-lifelong-learn", "").lower() != "no" and not hints.side
        task, history = task_of(conversation, tenant=tenant, learn=learn, session=hints.session)
        self._check_model(conversation, request)
        temperature, limit = conversation.temperature, conversation.max_tokens
        with cancelled_by(cancelled):
            check_cancelled()  # it may have waited for its turn until after the client left
            return self._learner.wake(task, history=history, temperature=temperature, max_tokens=limit), conversation

    def _check_model(self, conversation: Conversation, request: Request) -> None:
        """Raise `NothingFound` for a model that the tenant does not have."""
        # The usual name asks nobody, so that a record that cannot be read stops no answer.
        if conversation.model == NAME:
            return
        known = self._models(self.tenant(request, conversation.user))
        if conversation.model not in known:
            raise NothingFound(f"there is no model {conversation.model!r}; ask for {NAME!r}, or one of: {', '.join(known)}")

    async def plain(self, request: Request) -> Response:
        """A request that is passed on and not remembered."""
        assert self.passing is not None, "the route is there only where requests are passed on"
        return await self.passing.plain(OpenAIChat(), request)

    async def count_tokens(self, request: Request) -> Response:
        """Tokens of a conversation in Anthropic's protocol, as the engine here counts them."""
        codec = AnthropicMessages()
        try:
            conversation = codec.parse(await json_body(request))
            self.tenant(request, conversation.user)
            count = await self.answers.call(partial(count_tokens, self._learner.engine, conversation))
        except LifelongError as error:
            return codec_error(codec.error, error)
        return JSONResponse({"input_tokens": count})

    async def feedback(self, request: Request) -> JSONResponse:
        """A user's verdict on an answer of the same tenant."""
        body = validated(FeedbackBody, await json_body(request))
        tenant = self.tenant(request, body.user)
        return JSONResponse(await self.calls.call(partial(take_feedback, self._learner.observer, tenant, body, self._spans.evaluated)))

    async def outcome(self, request: Request) -> JSONResponse:
        """How the run of an answer ended, or the newest run of a session."""
        body = validated(OutcomeBody, await json_body(request))
        tenant = self.tenant(request, body.user)
        return JSONResponse(await self.calls.call(partial(take_outcome, self._learner.observer, tenant, body, self._spans.evaluated)))

    async def sessions(self, request: Request) -> JSONResponse:
        """The newest sessions of the tenant."""
        limit = request.query_params.get("limit", "100")
        if not (limit.isdecimal() and len(limit) < 8):
            raise MalformedTask(f"limit is {limit[:40]!r}; it must be a whole number")
        listing = partial(list_sessions, self._learner.runs, self.tenant(request), int(limit))
        return JSONResponse(await self.calls.call(listing))

    async def session(self, request: Request) -> JSONResponse:
        """One session of the tenant, each turn once. Raises `NothingFound`."""
        reading = partial(read_session, self._learner.runs, self.tenant(request), request.path_params["id"])
        return JSONResponse(await self.calls.call(reading))

    async def sleep(self, request: Request) -> JSONResponse:
        """Begin a night: 202, or 200 with the night that runs already."""
        body = validated(SleepBody, await json_body(request))
        status, night = await self.calls.call(partial(self._nights.begin, self.tenant(request, body.user)))
        return JSONResponse(night, status)

    async def night(self, request: Request) -> JSONResponse:
        """How a night of the tenant stands. Raises `NothingFound`."""
        finding = partial(self._nights.find, request.path_params["id"], self.tenant(request))
        return JSONResponse(await self.calls.call(finding))

    async def effect(self, request: Request) -> JSONResponse:
        """What memory and adapters do for a tenant, and what was withdrawn."""
        reading = partial(self._learner.effects, tenant=self.tenant(request))
        return JSONResponse((await self.calls.call(reading)).as_dict())

    async def models(self, request: Request) -> JSONResponse:
        """The learner itself, the base model, and the tenant's adapters."""
        names = await self.calls.call(partial(self._models, self.tenant(request)))
        if _speaks_anthropic(request):
            ends = {"first_id": names[0], "last_id": names[-1]}
            return JSONResponse({"data": [_anthropic_model(name) for name in names], "has_more": False, **ends})
        return JSONResponse({"object": "list", "data": [_model(name) for name in names]})

    async def model(self, request: Request) -> JSONResponse:
        """One of these models. Raises `NothingFound`."""
        name = request.path_params["name"]
        names = await self.calls.call(partial(self._models, self.tenant(request)))
        if name not in names:
            raise NothingFound(f"there is no model {name!r}; there is: {', '.join(names)}")
        return JSONResponse(_anthropic_model(name) if _speaks_anthropic(request) else _model(name))

    def _models(self, tenant: str) -> list[str]:
        return list(dict.fromkeys([NAME, *map(shown_model, self._learner.models(tenant))]))

    async def health(self, request: Request) -> JSONResponse:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def ready(self, request: Request) -> JSONResponse:
        """Whether another request would be taken now."""
        full = self.passing.full if self.passing else self.answers.full or bool(self.local and self.local.full)
        return JSONResponse({"status": "full" if full else "ready"}, 503 if full else 200, {"Retry-After": "1"} if full else None)

    async def metrics(self, request: Request) -> PlainTextResponse:
        """Counters in Prometheus' text format."""
        active = self.answers.active + (self.local.active if self.local else 0)
        figures = {"requests_active": active, "requests_refused_total": self.answers.refused}
        if self.passing:
            figures = self.passing.figures()
        kinds = {name: "counter" if name.endswith("_total") else "gauge" for name in figures}
        lines = [f"# TYPE lifelong_{name} {kinds[name]}\nlifelong_{name} {figure}" for name, figure in figures.items()]
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")

    async def close(self) -> None:
        """Take no more calls."""
        self.answers.close()
        self.calls.close()
        for passing in (self.passing, self.local):
            if passing:
                await passing.close()


def _local(learner: Learner, settings: GatewaySettings) -> PassThrough:
    address = UpstreamAddress(model=learner.engine.model, url="http://engine")
    codecs = [codec for codec in CODECS if isinstance(codec, EngineCodec)]
    transport = EngineTransport(learner.engine, codecs, running=settings.max_running)
    return PassThrough(learner.observer, address, settings, transport=transport)


def create_app(learner: Learner, settings: GatewaySettings | None = None) -> FastAPI:
    """The gateway over an open learner, which the caller closes.

    `POST` to each codec's path, `/feedback` and `/v1/lifelong/sleep`; `GET /v1/lifelong/nights/{id}`, `/v1/models`,
    `/v1/models/{name}`, `/health`, `/ready`, `/metrics`, `/openapi.json`. A completion's `id` is its episode's. The tenant is the
    header `X-Lifelong-Tenant`, else the body's `user`, else `default`, which every client without a name shares, memory included,
    unless `settings.require_tenant` refuses those.
    Nobody proves who they are, so the gateway is for loopback or stands behind a server that asks. `X-Lifelong-Learn: no` keeps a
    request from being learned.
    """
    settings = settings or GatewaySettings()
    gateway = Gateway(learner, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await gateway.close()

    app = FastAPI(title="lifelong", docs_url=None, redoc_url=None, lifespan=lifespan)
    most = settings.max_body_mib << 20 if gateway.passing else MOST_BYTES
    shapes = {codec.path: codec.error for codec in CODECS} | {COUNT_TOKENS: AnthropicMessages().error}
    app.add_middleware(BodyLimit, most=most, hosts=settings.hosts.split(","), shapes=shapes)
    if settings.origin_list:
        # Outermost, so that a page may read errors too. Without this a browser lets no page of another origin read an answer.
        app.add_middleware(CORSMiddleware, **CORS, allow_origins=settings.origin_list)
    app.add_exception_handler(LifelongError, named_error)
    app.add_exception_handler(RequestValidationError, invalid_request)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(Exception, unexpected_error)
    _add_routes(app, gateway)
    return app


def _add_routes(app: FastAPI, gateway: Gateway) -> None:
    reads: Mapping[str, Callable[..., Any]] = {
        "/": gateway.health,  # some clients look whether anybody is there before they ask
        "/health": gateway.health,
        "/ready": gateway.ready,
        "/metrics": gateway.metrics,
        "/v1/models": gateway.models,
        "/v1/models/{name:path}": gateway.model,
        "/v1/lifelong/nights/{id}": gateway.night,
        "/v1/lifelong/sessions": gateway.sessions,
        "/v1/lifelong/sessions/{id:path}": gateway.session,
        "/v1/lifelong/effect": gateway.effect,
    }
    for path, read in {**reads, **gateway.held.reads}.items():
        app.add_api_route(path, read, methods=["GET"], response_model=None)
        app.add_api_route(path, read, methods=["HEAD"], response_model=None, include_in_schema=False)
    for codec in CODECS:
        app.add_api_route(
            codec.path, _answering(gateway, codec), methods=["POST"], response_model=None, openapi_extra=_body(codec.schema())
        )
    for path in PLAIN_PATHS if gateway.passing else ():
        app.add_api_route(path, gateway.plain, methods=["POST"], response_model=None)
    if not gateway.passing:
        app.add_api_route(COUNT_TOKENS, gateway.count_tokens, methods=["POST"], response_model=None)
    writes: Mapping[str, tuple[Callable[..., Any], type[BaseModel]]] = {
        "/feedback": (gateway.feedback, FeedbackBody),
        "/v1/lifelong/outcome": (gateway.outcome, OutcomeBody),
        "/v1/lifelong/sleep": (gateway.sleep, SleepBody),
    }
    for path, (write, model) in {**writes, **gateway.held.writes}.items():
        app.add_api_route(path, write, methods=["POST"], response_model=None, openapi_extra=_body(model.model_json_schema()))
    app.add_api_route(ONE_MEMORY, gateway.held.forget, methods=["DELETE"], response_model=None)


def _answering(gateway: Gateway, codec: Codec) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            return await gateway.answer(codec, request)
        except LifelongError as error:
            return codec_error(codec.error, error)

    answer.__name__ = codec.name.replace("-", "_")
    return answer


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "lifelong"}


def _anthropic_model(name: str) -> dict[str, Any]:
    return {"type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z"}


def _speaks_anthropic(request: Request) -> bool:
    return "anthropic-version" in request.headers


async def _each(events: Iterable[str]) -> AsyncIterator[str]:
    for event in events:
        yield event
