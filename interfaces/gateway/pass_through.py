"""The gateway before a server that is only a URL: requests go there as they came, and what passes by is remembered.

Of a request's bytes at most two things change: the model's name, where the client asks for `lifelong`, and text recalled from memory,
beside the newest message of the user. In the control arm, and wherever memory is not ready within the deadline, only the name does.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
from starlette.requests import Request

from ...core import Answer, Conversation, MalformedTask, PassingCodec, text_of
from ...core.settings import GatewaySettings
from ...orchestrator.observed import ObservedRequest, Observer, Prepared
from ...serving import UpstreamAddress
from .clients import hints_of
from .conversation import NAME, is_auxiliary
from .deadline import Aside
from .protocols.json_spans import ObjectText, exchange, read_object
from .protocols.memory_block import insertions
from .recorder import Recorder
from .relay import Passage, Relay
from .requests import body_text, tenant_of
from .telemetry.spans import RequestSpan, Spans
from .upstream import Upstream
from .workers import Overloaded

SENDING_SECONDS = 0.005
"""By which a request of the control arm goes out before memory is asked."""
PLAIN_PATHS = ("/v1/completions", "/v1/embeddings", "/v1/messages/count_tokens")
"""What is passed on and not remembered."""


class PassThrough:
    """The handlers of requests that go on to an upstream. Use from one event loop."""

    def __init__(
        self,
        observer: Observer,
        address: UpstreamAddress,
        settings: GatewaySettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        spans: Spans | None = None,
    ) -> None:
        """`transport` stands in the place of the network; see `EngineTransport`."""
        self._observer = observer
        self._settings = settings
        self._spans = spans or Spans()
        self._most = settings.max_running + settings.max_waiting
        self.upstream = Upstream(address, connections=self._most + 16, seconds=settings.upstream_seconds, transport=transport)
        self.aside = Aside(settings.deadline_ms / 1000)
        self.recorder = Recorder(observer.transaction, settings.record_seconds)
        self.active = 0
        """Requests on their way now."""
        self.refused = 0
        """Requests refused since the start, because too many were on their way."""
        self.read_tokens = 0
        """Tokens of prompts that the upstream has read, as far as it said so."""
        self.cached_tokens = 0
        """Of these, the tokens that it had in its cache."""

    @property
    def full(self) -> bool:
        """Whether the next request would be refused."""
        return self.active >= self._most

    async def answer(self, codec: PassingCodec, request: Request) -> Relay:
        """One request of a chat protocol. Raises `MalformedTask`, `Overloaded`."""
        body = read_body(await body_text(request))
        tenant = tenant_of(request, _user(body), required=self._settings.require_tenant)
        span = self._spans.request(codec.name, request.scope["headers"])
        return self._relay(codec, self._prepare(codec, body, request, tenant, span), span)

    async def plain(self, codec: PassingCodec, request: Request) -> Relay:
        """A request that is passed on and not remembered."""
        body = read_body(await body_text(request))
        tenant_of(request, _user(body), required=self._settings.require_tenant)
        return self._relay(codec, self._passage(request, body, []), RequestSpan(None))

    def figures(self) -> dict[str, int]:
        """Counters for `/metrics`."""
        return {
            "requests_active": self.active,
            "requests_refused_total": self.refused,
            "prompt_tokens_total": self.read_tokens,
            "cached_prompt_tokens_total": self.cached_tokens,
            "deadline_missed_total": self.aside.missed,
            "memory_failed_total": self.aside.failed,
            "memory_skipped_total": self.aside.skipped,
            "memory_breaker_open": int(self.aside.open),
            "answers_recorded_total": self.recorder.written,
            "answers_recorded_late_total": self.recorder.late,
            "answers_lost_total": self.recorder.lost,
            "answers_waiting": self.recorder.waiting,
        }

    async def close(self) -> None:
        """Write what is left and close the connections."""
        self.aside.close()
        self.recorder.close()
        await self.upstream.close()

    def _relay(self, codec: PassingCodec, preparing: Any, span: RequestSpan) -> Relay:
        if self.full:
            preparing.close()
            span.end()
            self.refused += 1
            raise Overloaded(f"{self.active} requests run already; try again in a moment")
        self.active += 1
        return Relay(self.upstream, codec, preparing, keep_alive_seconds=self._settings.keep_alive_seconds, ended=partial(self._end, span))

    def _end(self, span: RequestSpan) -> None:
        self.active -= 1
        span.end()

    async def _prepare(self, codec: PassingCodec, body: ObjectText, request: Request, tenant: str, span: RequestSpan) -> Passage:
        conversation = self._understood(codec, body, request)
        if conversation is None:
            return await self._passage(request, body, [])
        observed, sources = self._observed(conversation, body, request, tenant), conversation.sources
        if observed.hints.side:
            return await self._passage(request, body, [], self._noting(observed))
        span.asked(conversation)
        prepared = await self.aside.call(partial(self._observer.prepare, observed, control_waits=True))
        planning: asyncio.Future[Prepared | None] | None = None
        if prepared is not None and prepared.waits:
            # Nothing is shown to the control arm, so its request need not wait: what memory would have had is found beside the answer.
            planning = asyncio.ensure_future(self._perceive(observed, prepared))
        else:
            span.placed(prepared)
        id = prepared.episode if prepared else uuid.uuid4().hex
        changes = insertions(body, _places(prepared.blocks, sources), codec.member) if prepared else []

        started = time.monotonic()

        async def record(answer: Answer) -> bool:
            self.read_tokens += answer.usage.prompt_tokens
            self.cached_tokens += answer.usage.cached_tokens
            known = prepared
            if planning is not None:
                known = await planning or prepared
                span.placed(known)
            span.answered(answer)
            answer = replace(answer, usage=replace(answer.usage, seconds=time.monotonic() - started))
            return await self.recorder.record(partial(self._observer.record, observed, known, answer, id))

        shown = [(b"x-lifelong-episode", id.encode())]
        if prepared is None:
            return await self._passage(request, body, changes, record, shown)
        shown.append((b"x-lifelong-session", quote(prepared.session).encode()))
        named = json.dumps([tenant, prepared.session])
        return await self._passage(request, body, changes, record, shown, adapter=prepared.adapter, conversation=named)

    async def _perceive(self, observed: ObservedRequest, prepared: Prepared) -> Prepared | None:
        # The request goes out first: both need the interpreter, which changes threads every 5 ms at most.
        await asyncio.sleep(SENDING_SECONDS)
        return await self.aside.call(partial(self._observer.perceive, observed, prepared))

    def _noting(self, observed: ObservedRequest) -> Callable[[Answer], Any] | None:
        """What is kept of a request that a client makes for itself: results of tools that it shows nowhere else."""
        if not any(one["role"] == "tool" for one in observed.messages):
            return None

        async def note(answer: Answer) -> bool:
            return await self.recorder.record(partial(self._observer.note_results, observed))

        return note

    def _understood(self, codec: PassingCodec, body: ObjectText, request: Request) -> Conversation | None:
        """The conversation of a request; None where it is not understood, or shall not be learned from."""
        try:
            conversation = codec.parse(body.values)
        except MalformedTask:
            return None  # the upstream may understand it, and says so where it does not
        if request.headers.get("x-lifelong-learn", "").lower() == "no" or conversation.count > 1 or is_auxiliary(conversation):
            return None
        if _has_half_characters(body):
            return None  # no text that could be stored; what it means the upstream decides
        return conversation

    def _observed(self, conversation: Conversation, body: ObjectText, request: Request, tenant: str) -> ObservedRequest:
        instructions = "\n".join(text_of(one) for one in conversation.messages if one["role"] == "system")
        hints = hints_of(request.scope["headers"], body.values, instructions)
        return ObservedRequest(messages=conversation.messages, tenant=tenant, tools=conversation.tools, hints=hints)

    async def _passage(
        self,
        request: Request,
        body: ObjectText,
        changes: list[tuple[int, int, str]],
        record: Callable[[Answer], Any] | None = None,
        shown: Sequence[tuple[bytes, bytes]] = (),
        *,
        adapter: str = "",
        conversation: str = "",
    ) -> Passage:
        model = body.last("model")
        if model is not None and model.value == NAME:
            changes = [*changes, (model.start, model.end, json.dumps(adapter or self.upstream.model, ensure_ascii=False))]
        query = request.url.query
        return Passage(
            method=request.method,
            target=request.url.path + (f"?{query}" if query else ""),
            headers=list(request.scope["headers"]),
            body=exchange(body.text, changes).encode(),
            conversation=conversation,
            streamed=body.values.get("stream") is True,
            shown=tuple(shown),
            record=record,
        )


def read_body(text: str) -> ObjectText:
    """The body of a request. Raises `MalformedTask` for what is no JSON object."""
    try:
        return read_object(text)
    except (ValueError, RecursionError) as error:
        raise MalformedTask(f"the body is not valid JSON: {error}") from None


def _has_half_characters(body: ObjectText) -> bool:
    """Whether a text holds half of a surrogate pair. Only an escape can say it, so that most bodies are not looked through."""
    if "\\ud" not in body.text and "\\uD" not in body.text:
        return False
    try:
        json.dumps(body.values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _places(blocks: Mapping[int, str], sources: Sequence[int]) -> Mapping[int, str]:
    """Blocks by the number of the message in the body's list."""
    return {sources[number]: block for number, block in blocks.items()} if sources else blocks


def _user(body: ObjectText) -> str | None:
    user = body.values.get("user")
    return user if isinstance(user, str) else None
