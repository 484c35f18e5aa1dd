"""Requests and replies are plain data, and an engine is whatever has every member of the protocol."""

from dataclasses import FrozenInstanceError

import pytest

from lifelong.serving import ChatRequest, Engine


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
