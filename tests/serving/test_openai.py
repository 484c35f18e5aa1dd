"""The engine for any compatible URL: nothing but chat completions, no local weights, no adapters."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from wire import Protocol, ask

from lifelong.core import Adapter, AdapterRejected, EngineUnreachable, MalformedTask, NothingFound, Settings, SettingsError
from lifelong.core.plugins import create
from lifelong.serving import Engine, OpenAIEngine, takes_grammars


@pytest.fixture
def engine(url: str) -> Iterator[OpenAIEngine]:
    opened = OpenAIEngine("tiny", url=url)
    yield opened
    opened.close()


def test_a_chat_request_as_the_server_gets_it(engine: OpenAIEngine, protocol: Protocol) -> None:
    assert isinstance(engine, Engine)
    [reply] = engine.chat([ask("hello", max_tokens=7, temperature=0.5, seed=3)])
    path, body = protocol.asked[-1]
    assert path == "/v1/chat/completions"
    assert body == {
        "model": "tiny",
        "messages": [{"role": "system", "content": ""}, {"role": "user", "content": "hello"}],
        "max_tokens": 7,
        "temperature": 0.5,
        "seed": 3,
        "logprobs": True,
    }
    assert (reply.text, reply.logprob, reply.finished) == ("tiny on hello", -0.5, True)
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (11, 2)
    assert engine.chat([ask(max_tokens=1)])[0].finished is False
    assert [r.text for r in engine.chat([ask(str(n)) for n in range(9)])] == [f"tiny on {n}" for n in range(9)]


def test_it_asks_for_nothing_that_only_vllm_has(engine: OpenAIEngine, protocol: Protocol) -> None:
    engine.chat([ask("hello", choices=["yes", "no"])])
    engine.choose(ask("hello"), ["a", "b"])
    engine.count_tokens("some text")
    engine.retire("lifelong-v0001")
    assert {path for path, _ in protocol.asked} == {"/v1/chat/completions"}
    assert not any("structured_outputs" in body for _, body in protocol.asked)


def test_a_grammar_is_refused_by_name(engine: OpenAIEngine, protocol: Protocol) -> None:
    assert not takes_grammars(engine)
    asked = len(protocol.asked)
    with pytest.raises(MalformedTask, match=r"not known to constrain replies to a grammar; set model\.engine to 'embedded' or 'vllm'"):
        engine.chat([ask(grammar='start: "a"')])
    with pytest.raises(MalformedTask, match="not known to constrain"):
        list(engine.stream(ask(grammar='start: "a"')))
    assert len(protocol.asked) == asked


def test_choices_constrain_the_reply(engine: OpenAIEngine, protocol: Protocol) -> None:
    assert engine.chat([ask(choices=["yes", "certainly not"], max_tokens=2)])[0].text == "certainly not"
    assert protocol.asked[-1][1]["max_tokens"] > len('{"choice": "certainly not"}')
    choice = engine.choose(ask("hello"), ["a", "b"])
    assert (choice.index, choice.logprobs) == (1, (-math.inf, -0.5))
    protocol.constrains = False
    with pytest.raises(EngineUnreachable, match="does not constrain"):
        engine.chat([ask(choices=["yes", "no"])])
    with pytest.raises(MalformedTask):
        engine.choose(ask("hello"), [])


@pytest.mark.parametrize("refuses", [("logprobs",), ("max_tokens",), ("logprobs", "seed", "temperature", "max_tokens")])
def test_a_parameter_that_the_server_refuses_is_left_out_from_then_on(
    engine: OpenAIEngine, protocol: Protocol, refuses: tuple[str, ...]
) -> None:
    protocol.refuses = refuses
    assert engine.chat([ask("hello", max_tokens=9)])[0].text == "tiny on hello"
    count = len(protocol.asked)
    engine.chat([ask("hello", max_tokens=9)])
    assert len(protocol.asked) == count + 1
    body = protocol.asked[-1][1]
    assert not set(refuses) & set(body)
    assert body.get("max_completion_tokens") == (9 if "max_tokens" in refuses else None)


def test_another_refusal_is_an_error_that_names_it(engine: OpenAIEngine, protocol: Protocol) -> None:
    protocol.refuses = ("messages",)
    with pytest.raises(MalformedTask, match="'messages' is not supported"):
        engine.chat([ask()])
    protocol.refuses, protocol.status = (), 500
    with pytest.raises(EngineUnreachable, match="as the test says"):
        engine.chat([ask()])


def test_adapters_are_refused_with_the_reason(engine: OpenAIEngine, tmp_path: Path) -> None:
    with pytest.raises(AdapterRejected, match="weights are the server's; use 'embedded'"):
        engine.publish(Adapter(name="lifelong-v0001", path=str(tmp_path), base="tiny", rank=2))
    with pytest.raises(NothingFound, match="lifelong-v0001"):
        engine.chat([ask(adapter="lifelong-v0001")])


def test_a_model_that_is_not_served_is_named(url: str) -> None:
    with pytest.raises(NothingFound, match=r"set model\.name to one of \['tiny'\]"):
        OpenAIEngine("huge", url=url)


def test_no_logprobs_means_unsure(engine: OpenAIEngine, protocol: Protocol) -> None:
    protocol.logprobs = False
    assert engine.chat([ask()])[0].logprob == -math.inf
    assert engine.choose(ask(), ["a", "b"]).logprobs == (-math.inf, 0.0)


def test_the_settings_open_it_without_any_local_file(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFELONG_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("MY_KEY", "k")
    values = {"model.engine": "openai", "model.url": f"{url}/v1", "model.name": "tiny", "model.api_key_variable": "MY_KEY"}
    opened = create("engines", "openai", settings=Settings().with_values(values))
    assert (opened.model, opened.url) == ("tiny", url)
    opened.close()
    assert not (tmp_path / "empty").exists()
    with pytest.raises(SettingsError, match=r"needs model\.url"):
        create("engines", "openai", settings=Settings().with_values({"model.engine": "openai"}))
