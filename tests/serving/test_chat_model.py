"""Any engine speaks LangChain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lifelong.core import Adapter, MalformedTask
from lifelong.serving import ChatRequest, EmbeddedEngine

if TYPE_CHECKING:  # slow to import: only where a test runs
    from lifelong.serving import EngineChatModel


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Iterator[EngineChatModel]:
    from lifelong.serving import EngineChatModel

    engine = EmbeddedEngine(tiny_model, dtype="float32", device="cpu")
    yield EngineChatModel(engine=engine, max_tokens=10)
    engine.close()


def test_invoke_says_what_the_engine_says(model: EngineChatModel) -> None:
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    reply = model.invoke([SystemMessage("be brief"), HumanMessage("hi"), AIMessage("yes?"), HumanMessage("go on")])
    turns = [("system", "be brief"), ("user", "hi"), ("assistant", "yes?"), ("user", "go on")]
    request = ChatRequest(messages=[{"role": role, "content": text} for role, text in turns], max_tokens=10)
    expected = model.engine.chat([request])[0]
    assert reply.content == expected.text
    assert reply.usage_metadata["output_tokens"] == expected.usage.completion_tokens
    assert reply.response_metadata["logprob"] == expected.logprob
    assert reply.response_metadata["finish_reason"] == ("stop" if expected.finished else "length")


def test_async_streaming_and_batches_agree_with_invoke(model: EngineChatModel) -> None:
    expected = model.invoke("hello").content
    assert asyncio.run(model.ainvoke("hello")).content == expected
    assert "".join(chunk.content for chunk in model.stream("hello")) == expected
    assert [reply.content for reply in model.batch(["hello", "hello"])] == [expected, expected]


def test_stop_words_cut_the_reply(model: EngineChatModel) -> None:
    whole = model.invoke("hello").content
    reply = model.invoke("hello", stop=[whole[3]])
    assert reply.content == whole[: whole.index(whole[3])]
    assert reply.response_metadata["finish_reason"] == "stop"


def test_bound_adapters_and_choices(model: EngineChatModel, tiny_adapter: Callable[..., Adapter]) -> None:
    model.engine.publish(tiny_adapter("chain-v1", seed=1))
    bound = model.bind(adapter="chain-v1").invoke("hello").content
    assert bound != model.invoke("hello").content
    assert bound == type(model)(engine=model.engine, adapter="chain-v1", max_tokens=10).invoke("hello").content
    assert model.bind(choices=["left", "right"]).invoke("where?").content in ("left", "right")


def test_messages_that_no_template_shows_are_refused(model: EngineChatModel) -> None:
    from langchain_core.messages import HumanMessage, ToolMessage

    with pytest.raises(MalformedTask, match="tool"):
        model.invoke([HumanMessage("hi"), ToolMessage("42", tool_call_id="1")])
