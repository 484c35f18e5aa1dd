"""Streams of a server: pieces, calls in parts, odd line ends, streams that break off, readers that leave."""

from __future__ import annotations

import time

import pytest
from wire import Protocol, ask

from lifelong.core import EngineUnreachable, MalformedTask
from lifelong.core.messages import tool_call, tool_specification
from lifelong.serving import OpenAIEngine, VLLMEngine
from lifelong.serving.decoding.loops import LOOP, PERIOD

CALLS = [tool_call("find", {"id": 7}, "call_a"), tool_call("route", {"queue": "billing \u2028"}, "call_b")]


@pytest.mark.parametrize("make", [lambda url: OpenAIEngine("tiny", url=url), lambda url: VLLMEngine("tiny", url=url)])
class TestStream:
    def test_pieces_come_as_they_are_sent_and_the_last_has_the_reply(self, make, url: str, protocol: Protocol) -> None:
        engine = make(url)
        protocol.pause = 0.05
        text = "several words \u2028 \x0b here\r\nand there"
        [whole] = engine.chat([ask(text, logprobs=True)])
        stream = engine.stream(ask(text, logprobs=True))
        first = next(stream)
        assert protocol.sent < 6
        pieces = [first, *stream]
        assert "".join(piece.text for piece in pieces) == whole.text
        assert text in whole.text
        reply = pieces[-1].reply
        assert (reply.text, reply.finish_reason, reply.logprob, reply.tokens) == (whole.text, "stop", -0.5, whole.tokens)
        assert [one.token for one in reply.tokens] == ["a", "b"]
        assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (11, 2)
        engine.close()

    def test_calls_are_put_together(self, make, url: str, protocol: Protocol) -> None:
        engine = make(url)
        protocol.calls = CALLS
        tools = [tool_specification("find"), tool_specification("route")]
        [whole] = engine.chat([ask(tools=tools)])
        *_, last = engine.stream(ask(tools=tools, tool_choice="find"))
        assert whole.tool_calls == last.reply.tool_calls == tuple(CALLS)
        assert (whole.finish_reason, last.reply.finish_reason) == ("tool_calls", "tool_calls")
        strict = {"strict": True} if isinstance(engine, VLLMEngine) else {}
        assert protocol.asked[-1][1]["tools"] == [{**tool, "function": {**tool["function"], **strict}} for tool in tools]
        assert protocol.asked[-1][1]["tool_choice"] == {"type": "function", "function": {"name": "find"}}
        engine.close()

    def test_a_reply_that_only_repeats_itself_ends_where_nobody_limited_it(self, make, url: str, protocol: Protocol) -> None:
        engine = make(url)
        protocol.pause = 0.0005
        *_, last = engine.stream(ask("no " * 3000, max_tokens=None))
        assert last.reply.finish_reason == "length"
        assert LOOP <= last.reply.text.count("no") < LOOP + 10
        assert LOOP <= last.reply.usage.completion_tokens < LOOP + 10
        assert protocol.left.wait(10), "the server is told"
        assert protocol.sent < 2500
        *_, limited = engine.stream(ask("no " * 600, max_tokens=5000))
        assert (limited.reply.text.count("no"), limited.reply.finish_reason) == (600, "stop")
        words = " ".join(f"w{number % (2 * PERIOD)}" for number in range(600))
        *_, varied = engine.stream(ask(words, max_tokens=None))
        assert (words in varied.reply.text, varied.reply.finish_reason) == (True, "stop")
        engine.close()

    def test_a_reader_that_leaves_closes_the_connection(self, make, url: str, protocol: Protocol) -> None:
        engine = make(url)
        protocol.pause = 0.01
        stream = engine.stream(ask("word " * 2000))
        next(stream)
        stream.close()
        assert protocol.left.wait(10)
        assert protocol.sent < 1000
        assert list(stream) == []
        engine.close()

    @pytest.mark.parametrize(
        ("ends", "said"),
        [
            (b'data: {"error": {"message": "out of memory"}}\n\n', "out of memory"),
            (b"data: no json\n\n", "broke off"),
        ],
    )
    def test_a_stream_that_fails_says_so(self, make, url: str, protocol: Protocol, ends: bytes, said: str) -> None:
        engine = make(url)
        protocol.ends = ends
        with pytest.raises(EngineUnreachable, match=said):
            list(engine.stream(ask()))
        engine.close()

    def test_a_status_is_named_before_the_first_piece(self, make, url: str, protocol: Protocol) -> None:
        engine = make(url)
        for status, error in ((400, MalformedTask), (500, EngineUnreachable)):
            protocol.status = status
            with pytest.raises(error, match="as the test says"):
                next(engine.stream(ask()))
        engine.close()


def test_a_stream_without_an_end_broke_off(url: str, protocol: Protocol, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = OpenAIEngine("tiny", url=url)
    whole = protocol.chat
    monkeypatch.setattr(protocol, "chat", lambda body: _without_reason(whole(body)))
    with pytest.raises(EngineUnreachable, match="no end"):
        list(engine.stream(ask()))
    engine.close()


def _without_reason(completion: dict) -> dict:
    return {**completion, "choices": [{**completion["choices"][0], "finish_reason": None}]}


def test_a_parameter_that_is_refused_is_left_out_of_a_stream_too(url: str, protocol: Protocol, caplog: pytest.LogCaptureFixture) -> None:
    engine = OpenAIEngine("tiny", url=url)
    protocol.refuses = ("seed", "max_tokens")
    assert list(engine.stream(ask(max_tokens=9)))[-1].reply.text
    assert protocol.asked[-1][1]["max_completion_tokens"] == 9
    assert "does not take seed" in caplog.text
    engine.close()


def test_options_are_sent_or_refused_by_the_server_and_never_dropped(url: str, protocol: Protocol) -> None:
    engine = OpenAIEngine("tiny", url=url)
    options = {"stop": ["x"], "top_p": 0.5, "presence_penalty": 1.0, "frequency_penalty": -1.0}
    for name, value in options.items():
        engine.chat([ask(**{name: value})])
        assert protocol.asked[-1][1][name] == value
        protocol.refuses = (name,)
        with pytest.raises(MalformedTask, match=name):
            engine.chat([ask(**{name: value})])
        protocol.refuses = ()
    engine.chat([ask(max_tokens=None)])
    assert {"max_tokens", *options} & set(protocol.asked[-1][1]) == set()
    engine.close()


def test_an_adapter_retires_when_its_stream_has_ended(engine: VLLMEngine, adapter, protocol: Protocol) -> None:
    engine.publish(adapter("a-v1"))
    protocol.pause = 0.02
    stream = engine.stream(ask("a b c d e f", adapter="a-v1"))
    next(stream)
    stream.close()
    started = time.monotonic()
    engine.retire("a-v1")
    assert time.monotonic() - started < 20
    assert "a-v1" not in protocol.adapters
