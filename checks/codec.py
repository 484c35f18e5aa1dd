"""The rules of a `Codec`, for the gateway's members and anybody's own."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..core import Codec, Conversation, EngineCodec, MalformedTask, Message, PassingCodec, Reply, Usage, text_of, tool_call
from .failures import asserting

TEXTS = (
    "plain",
    "naïve Ünïcödé 你好 🙂",
    "two\nlines\r\n\tand a tab ",
    '"quotes" and \\ backslashes',
    "data: [DONE]\n\ndata: {}",
    "<memory>",
    "word " * 300,
)
NOT_BODIES: tuple[object, ...] = (None, 3, "text", [], {}, {"messages": 3}, {"messages": []}, {"messages": [3]}, {"messages": [{}]})
UNUSUAL = "a_field_that_no_protocol_has"


@dataclass(frozen=True, kw_only=True)
class CodecSamples:
    """How to speak a codec's protocol, so that the check can: what its clients do."""

    request: Callable[[Sequence[tuple[str, str]]], dict[str, Any]]
    """The body for turns of (role, text); roles are `system`, `user` and `assistant`."""
    streamed: Mapping[str, Any]
    """Fields that ask for an answer in pieces, with token counts."""
    text_of: Callable[[Mapping[str, Any]], str]
    """The answer's text in a whole reply."""
    text_of_stream: Callable[[Sequence[str]], str]
    """The answer's text in the events of a stream."""
    error_text: Callable[[Mapping[str, Any]], str]
    """The message in an error."""
    refused: Sequence[Mapping[str, Any]] = field(default=())
    """More bodies that the protocol does not allow."""


@asserting
def check_codec(codec: Codec, samples: CodecSamples) -> None:
    """Raise `AssertionError` for the first rule that `codec` breaks."""
    assert isinstance(codec, Codec), "a codec has every member of the protocol"
    assert codec.name, "a codec has a name"
    assert codec.path.startswith("/"), "a path begins with a slash"
    assert json.loads(json.dumps(codec.schema())), "the schema of a request is JSON"
    _check_parse(codec, samples)
    _check_refusals(codec, samples)
    for text in ("", *TEXTS):
        _check_reply(codec, samples, text)
    if isinstance(codec, PassingCodec):
        _check_reading(codec, samples)
    error = json.loads(json.dumps(codec.error("invalid_request_error", 'what "was" wrong')))
    assert samples.error_text(error) == 'what "was" wrong', "an error keeps its message"


def _check_parse(codec: Codec, samples: CodecSamples) -> None:
    for text in TEXTS:
        turns = [("system", f"be brief {text}"), ("user", f"first {text}"), ("assistant", f"answer {text}"), ("user", text)]
        body = samples.request(turns)
        before = copy.deepcopy(body)
        read = codec.parse(body)
        assert body == before, "`parse` leaves its input as it is"
        said = [(one["role"], text_of(one)) for one in read.messages]
        assert said == turns, f"`parse` keeps every turn, its role and its exact text; got {said}"
        assert codec.parse(copy.deepcopy(body)) == read, "the same body is the same conversation"
        assert _reads({**body, UNUSUAL: {"k": [1, None]}}, codec) == read, "unknown fields are passed over"
        assert not read.stream, "nothing is streamed unless the client asks"
        assert codec.parse({**body, **samples.streamed}).stream, "a client that asks for a stream gets one"


def _reads(body: object, codec: Codec) -> Conversation | None:
    try:
        return codec.parse(body)
    except Exception:
        return None


def _check_refusals(codec: Codec, samples: CodecSamples) -> None:
    no_question = (samples.request([("user", "  ")]), samples.request([("user", "a"), ("assistant", "b")]))
    for body in (*NOT_BODIES, *samples.refused, *no_question):
        assert _refuses(codec, body), f"a body that is no request is refused with `MalformedTask`, which says why; not: {body!r:.200}"


def _refuses(codec: Codec, body: object) -> bool:
    try:
        codec.parse(body)
    except MalformedTask as error:
        return bool(str(error).strip())
    except Exception as error:
        raise AssertionError(f"a body that is no request is refused with `MalformedTask`, not with {error!r}") from error
    return False


def _check_reply(codec: Codec, samples: CodecSamples, text: str) -> None:
    body = samples.request([("user", "hello")])
    reply = Reply(id="run-7", text=text, model="some-model", created=1_700_000_000, usage=Usage(prompt_tokens=1234, completion_tokens=5678))
    conversation = codec.parse(body)
    whole = json.loads(json.dumps(codec.reply(reply, conversation)))
    assert samples.text_of(whole) == text, "a reply holds the exact text"
    assert {"run-7", "some-model", 1234, 5678} <= set(_leaves(whole)), "a reply names itself, its model and its token counts"
    streaming = codec.parse({**body, **samples.streamed})
    events = list(codec.stream(reply, streaming))
    assert all(event.endswith("\n\n") for event in events), "every piece is a complete event"
    assert samples.text_of_stream(events) == text, "the pieces of a stream are the exact text"
    assert any("run-7" in event for event in events), "a stream names its reply"
    assert any("5678" in event for event in events), "a stream that is asked for token counts has them"
    _check_cut(codec, reply, conversation)


def _check_cut(codec: Codec, reply: Reply, conversation: Conversation) -> None:
    cut = replace(reply, cut=True)
    assert codec.reply(cut, conversation) != codec.reply(reply, conversation), "a reply that was cut off says so"
    assert list(codec.stream(cut, conversation)) != list(codec.stream(reply, conversation)), "a stream that was cut off says so"


def _check_reading(codec: PassingCodec, samples: CodecSamples) -> None:
    call = tool_call("look", {"query": 'a "b"\n'}, "call_7")
    replies = [Reply(id="run-7", text=text, model="some-model", created=1_700_000_000) for text in TEXTS]
    if isinstance(codec, EngineCodec):
        assert codec.options(samples.request([("user", "hello")])) == {}, "a request that sets no option has none"
        replies += [replace(one, tool_calls=(call,)) for one in (replies[0], replace(replies[0], text=""))]
    for reply in replies:
        said: Message = {"role": "assistant", "content": reply.text}
        if reply.tool_calls:
            said["tool_calls"] = list(reply.tool_calls)
        body = samples.request([("user", "hello")])
        whole = codec.read_reply(json.loads(json.dumps(codec.reply(reply, codec.parse(body)))))
        assert getattr(whole, "message", None) == said, "what a codec writes as a whole it reads as the same turn"
        reader, ended = codec.read_stream(), False
        for event in codec.stream(reply, codec.parse({**body, **samples.streamed})):
            for one in event.split("\n\n")[:-1]:
                assert not ended, "nothing follows the end of a stream"
                ended = reader.take(*_name_and_data(one))
        answer = reader.answer()
        assert ended, "the last event of a stream is read as its end"
        assert getattr(answer, "message", None) == said, "what a codec writes as a stream it reads as the same turn"
        assert getattr(answer, "complete", False), "a stream that came to its end is a complete answer"


def _name_and_data(event: str) -> tuple[str, str]:
    fields = dict(line.split(": ", 1) for line in event.split("\n"))
    return fields.get("event", ""), fields.get("data", "")


def _leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value
