"""Requests and replies are plain data, and an engine is whatever has every member of the protocol."""

from collections.abc import Iterator
from dataclasses import FrozenInstanceError

import pytest

from lifelong.core import EngineUnreachable, Usage
from lifelong.serving import ChatPiece, ChatReply, ChatRequest, Engine
from lifelong.serving.engine import whole_reply


def test_a_request_is_greedy_on_the_base_unless_it_says_more() -> None:
    request = ChatRequest(messages=[{"role": "user", "content": "?"}])
    assert (request.adapter, request.temperature, tuple(request.choices)) == ("", 0.0, ())
    with pytest.raises(FrozenInstanceError):
        request.seed = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        ChatRequest([{"role": "user", "content": "?"}])  # type: ignore[misc]


def test_an_engine_has_every_member() -> None:
    members = {name: (lambda *given: None) for name in ("chat", "stream", "choose", "count_tokens", "publish", "retire", "close")}
    whole = type("Whole", (), {**members, "model": "m"})()
    assert isinstance(whole, Engine)
    for name in (*members, "model"):
        partial = type("Partial", (), {key: value for key, value in {**members, "model": "m"}.items() if key != name})()
        assert not isinstance(partial, Engine), name


def test_the_reply_at_the_end_of_a_stream_or_an_error_where_there_is_none() -> None:
    reply = ChatReply(text="ab", usage=Usage(), logprob=-0.1)
    assert whole_reply(iter_pieces(ChatPiece(text="a"), ChatPiece(text="b", reply=reply))) is reply
    with pytest.raises(EngineUnreachable, match="no end"):
        whole_reply(iter_pieces(ChatPiece(text="a")))


def iter_pieces(*pieces: ChatPiece) -> Iterator[ChatPiece]:
    yield from pieces
