"""Spans of requests, of looking into memory and of outcomes. No text that anybody said is in one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ....core import Answer, Conversation, Episode
from ....orchestrator.observed import Prepared
from . import names

if TYPE_CHECKING:
    from opentelemetry.trace import Span


class Spans:
    """Makes spans where the package is there; whoever runs the process configures where they go (`opentelemetry-instrument`)."""

    def __init__(self) -> None:
        self._otel = _opentelemetry()

    def request(self, protocol: str, headers: Iterable[tuple[bytes, bytes]]) -> RequestSpan:
        """Begin the span of a request, beneath that of the client where its headers name one (W3C `traceparent`)."""
        if self._otel is None:
            return RequestSpan(None)
        from opentelemetry.propagate import extract

        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers if name in (b"traceparent", b"tracestate")}
        attributes = {names.OPERATION: names.CHAT, names.PROVIDER: names.PROVIDERS.get(protocol, protocol)}
        tracer = self._otel.get_tracer("lifelong")
        span = tracer.start_span(names.CHAT, extract(carrier), kind=self._otel.SpanKind.CLIENT, attributes=attributes)
        return RequestSpan(span if span.is_recording() else None)

    def evaluated(self, episode: Episode) -> None:
        """A span with the outcome of a run as the conventions' event for evaluations."""
        outcome = episode.outcome
        if self._otel is None or outcome.success is None:
            return
        attributes = {names.OPERATION: names.EVALUATE, names.CONVERSATION: episode.task.session, names.EPISODE: episode.id}
        with self._otel.get_tracer("lifelong").start_as_current_span(names.EVALUATE, attributes=attributes) as span:
            result = {
                names.EVALUATION_NAME: f"outcome by {outcome.judge.value}",
                names.EVALUATION_SCORE: float(outcome.score),
                names.EVALUATION_LABEL: "pass" if outcome.success else "fail",
            }
            span.add_event(names.EVALUATION, result)


class RequestSpan:
    """The span of one request. Every method does nothing where nobody records."""

    def __init__(self, span: Span | None) -> None:
        self._span = span
        self._answered = False
        self._expected = False

    def asked(self, conversation: Conversation) -> None:
        """What the request asks."""
        if self._span is None:
            return
        self._expected = True
        self._span.update_name(f"{names.CHAT} {conversation.model}")
        asked = {
            names.REQUEST_MODEL: conversation.model,
            names.REQUEST_TEMPERATURE: conversation.temperature,
            names.REQUEST_STREAM: conversation.stream,
        }
        if conversation.max_tokens is not None:
            asked[names.REQUEST_MAX_TOKENS] = conversation.max_tokens
        if conversation.count != 1:
            asked[names.REQUEST_CHOICES] = conversation.count
        self._set(asked)

    def placed(self, prepared: Prepared | None) -> None:
        """Its session, and what memory had for it."""
        if self._span is None or prepared is None:
            return
        plan, shown = prepared.plan, prepared.reminder
        recall = plan.recall if plan is not None else shown
        self._set({names.CONVERSATION: prepared.session, names.EPISODE: prepared.episode})
        if plan is not None:
            arm = "control" if plan.control else "placebo" if plan.placebo else "treated"
            self._set({names.ARM: arm, names.SKILL: plan.skill})
        if recall is not None:
            records: dict[str, Any] = {
                names.OPERATION: names.SEARCH_MEMORY,
                names.MEMORY_RECORDS: len(recall.lessons) + len(recall.episodes),
            }
            self._span.add_event(names.SEARCH_MEMORY, records)

    def answered(self, answer: Answer) -> None:
        """What was answered, without its words."""
        if self._span is None:
            return
        self._answered = True
        usage = answer.usage
        self._set(
            {
                names.RESPONSE_ID: answer.id,
                names.RESPONSE_FINISH_REASONS: [answer.finish_reason] if answer.finish_reason else [],
                names.INPUT_TOKENS: usage.prompt_tokens,
                names.OUTPUT_TOKENS: usage.completion_tokens,
                names.CACHE_READ_TOKENS: usage.cached_tokens,
            }
        )

    def recorded(self, episode: Episode) -> None:
        """The episode of a request that was answered and recorded here."""
        arm = "control" if episode.control else "placebo" if episode.placebo else "treated"
        self._set({names.CONVERSATION: episode.task.session, names.EPISODE: episode.id, names.ARM: arm, names.SKILL: episode.skill})
        self.answered(Answer(id=episode.id, message={"role": "assistant", "content": ""}, usage=episode.usage))

    def end(self) -> None:
        """End the span; a request that got no answer to its end is an error."""
        if self._span is None:
            return
        if self._expected and not self._answered:
            from opentelemetry.trace import StatusCode

            self._set({names.ERROR: names.OTHER_ERROR})
            self._span.set_status(StatusCode.ERROR)
        self._span.end()

    def _set(self, attributes: Mapping[str, Any]) -> None:
        if self._span is not None:
            self._span.set_attributes({name: value for name, value in attributes.items() if value not in ("", None)})


def _opentelemetry() -> ModuleType | None:
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace
