"""Replies of the embedded engine with options: calls that always fit their schema, stop texts, penalties, probabilities."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from properties import examples

from lifelong.core import MalformedTask
from lifelong.core.messages import tool_specification
from lifelong.serving import ChatRequest, EmbeddedEngine
from lifelong.serving.decoding.loops import LOOP


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tiny_model, dtype="float32", device="cpu", batch_size=4)
    yield engine
    engine.close()


def ask(text: str, **options: Any) -> ChatRequest:
    return ChatRequest(**{"messages": [{"role": "user", "content": text}], "max_tokens": 12, **options})


KINDS = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a JSON value satisfies a schema of the kinds that these tests use."""
    if "const" in schema:
        return value == schema["const"]
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema["type"]
    if not isinstance(value, KINDS[kind]) or (kind == "integer" and isinstance(value, bool)):
        return False
    if kind == "object":
        names = schema["properties"]
        whole = all(name in value for name in schema.get("required", ()))
        return whole and all(name in names and fits(item, names[name]) for name, item in value.items())
    if kind == "array":
        return len(value) <= schema["maxItems"] and all(fits(item, schema["items"]) for item in value)
    if kind == "string":
        return len(value) <= schema.get("maxLength", 99) and re.search(schema.get("pattern", ""), value) is not None
    return kind != "integer" or schema["minimum"] <= value <= schema["maximum"]


LEAVES = st.sampled_from(
    [
        {"type": "boolean"},
        {"type": "null"},
        {"type": "integer", "minimum": -5, "maximum": 40},
        {"enum": ["north", "süd", 3]},
        {"type": "string", "maxLength": 6},
        {"type": "string", "pattern": "^[a-f]{2,4}$"},
        {"const": {"fixed": [1, 2]}},
    ]
)


def objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(st.sampled_from(["id", "queue", "Größe", 'a"b']), values, max_size=3)
    return properties.flatmap(
        lambda found: (
            st.lists(st.sampled_from(sorted(found)), unique=True).map(
                lambda required: {"type": "object", "properties": found, "required": required, "additionalProperties": False}
            )
            if found
            else st.just({"type": "object", "properties": {}, "additionalProperties": False})
        )
    )


ARRAYS = LEAVES.map(lambda leaf: {"type": "array", "items": leaf, "maxItems": 2})
SCHEMAS = objects(LEAVES | ARRAYS | objects(LEAVES))


@settings(max_examples=examples(15))
@given(st.lists(SCHEMAS, min_size=1, max_size=3), st.integers(0, 1000), st.sampled_from([0.0, 1.0]))
def test_arguments_satisfy_the_schema_whatever_the_model_says(
    engine: EmbeddedEngine, schemas: list[dict[str, Any]], seed: int, temperature: float
) -> None:
    tools = [tool_specification(f"tool_{number}", "does", schema) for number, schema in enumerate(schemas)]
    request = ask(
        str(seed), tools=tools, tool_choice="required", max_tokens=600, temperature=temperature, seed=seed, parallel_tool_calls=False
    )
    reply = engine.chat([request])[0]
    assert reply.finish_reason == "tool_calls"
    [call] = reply.tool_calls
    position = int(call["function"]["name"].removeprefix("tool_"))
    assert fits(json.loads(call["function"]["arguments"]), schemas[position])
    assert reply.text == ""
    assert list(engine.stream(request))[-1].reply.tool_calls == reply.tool_calls


def test_forced_tokens_take_no_pass_of_their_own(engine: EmbeddedEngine) -> None:
    widths: list[int] = []
    hook = engine.network.get_input_embeddings().register_forward_hook(lambda _module, inputs, _output: widths.append(inputs[0].shape[1]))
    schema = {"type": "object", "properties": {"a_long_name": {"enum": ["x", "y"]}}, "required": ["a_long_name"]}
    schema["additionalProperties"] = False
    reply = engine.chat(
        [ask("?", tools=[tool_specification("t", "", schema)], tool_choice="t", parallel_tool_calls=False, max_tokens=200)]
    )[0]
    hook.remove()
    assert reply.usage.completion_tokens > 60
    assert len(widths) <= 3
    assert sum(widths[1:]) < 40


def test_neighbours_that_are_forced_ahead_change_no_other_reply(engine: EmbeddedEngine) -> None:
    tool = tool_specification("route", "", {"type": "object", "properties": {"id": {"enum": [12, 345]}}, "required": ["id"]})
    requests = [
        ask("a"),
        ask("bb", tools=[tool], tool_choice="required", max_tokens=200),
        ask("ccc", choices=["yes", "no"]),
        ask("d", max_tokens=40),
    ]
    together = engine.chat(requests)
    for request, reply in zip(requests, together, strict=True):
        alone = engine.chat([request])[0]
        assert (reply.text, reply.finish_reason, reply.tool_calls) == (alone.text, alone.finish_reason, alone.tool_calls)


def test_a_call_that_is_cut_off_is_none(engine: EmbeddedEngine) -> None:
    tool = tool_specification("route", "", {"type": "object", "properties": {"id": {"enum": [12, 345]}}, "required": ["id"]})
    reply = engine.chat([ask("?", tools=[tool], tool_choice="required", max_tokens=30)])[0]
    assert (reply.text, reply.tool_calls, reply.finish_reason, reply.usage.completion_tokens) == ("", (), "length", 30)


def test_a_call_that_was_made_already_ends_the_reply_and_is_left_out(engine: EmbeddedEngine) -> None:
    schema = {"type": "object", "properties": {"id": {"enum": [12]}}, "required": ["id"], "additionalProperties": False}
    tool = tool_specification("route", "", schema)
    requests = [ask(f"{seed}", tools=[tool], tool_choice="required", max_tokens=600, temperature=1.0, seed=seed) for seed in range(12)]
    replies = engine.chat(requests)
    assert {(len(reply.tool_calls), reply.finish_reason) for reply in replies} == {(1, "tool_calls")}
    # Some of them had begun the same call again.
    assert len({reply.usage.completion_tokens for reply in replies}) > 1
    assert [list(engine.stream(request))[-1].reply.tool_calls for request in requests] == [reply.tool_calls for reply in replies]


def test_the_same_question_has_the_same_ids_and_another_has_others(engine: EmbeddedEngine) -> None:
    tool = tool_specification("look")
    one, again, other = (
        engine.chat([ask(text, tools=[tool], tool_choice="required", max_tokens=200)])[0].tool_calls for text in ("a", "a", "b")
    )
    assert one == again
    assert not {call["id"] for call in one} & {call["id"] for call in other}


def test_a_format_is_kept(engine: EmbeddedEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}},
        "required": ["n"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    for seed in range(4):
        reply = engine.chat([ask("?", response_format=wanted, temperature=1.0, seed=seed, max_tokens=60)])[0]
        assert fits(json.loads(reply.text), schema)
        assert reply.finish_reason == "stop"


def test_penalties_keep_a_reply_from_repeating(engine: EmbeddedEngine) -> None:
    def most(**options: float) -> int:
        reply = engine.chat([ask("?", max_tokens=60, logprobs=True, **options)])[0]
        return max(Counter(one.token for one in reply.tokens).values())

    assert most(frequency_penalty=2.0) < most()
    assert most(presence_penalty=2.0) <= most()


def test_the_nucleus_holds_the_likeliest_alone_when_it_is_small(engine: EmbeddedEngine) -> None:
    greedy = engine.chat([ask("?")])[0].text
    assert engine.chat([ask("?", temperature=1.0, top_p=1e-6, seed=3)])[0].text == greedy
    assert engine.chat([ask("?", temperature=1.0, seed=3)])[0].text != greedy


def test_every_written_token_has_its_probability(engine: EmbeddedEngine) -> None:
    reply = engine.chat([ask("?", logprobs=True)])[0]
    assert len(reply.tokens) == reply.usage.completion_tokens - (reply.finish_reason == "stop")
    if reply.finish_reason == "length":
        assert sum(one.logprob for one in reply.tokens) / len(reply.tokens) == pytest.approx(reply.logprob)
    assert engine.chat([ask("?")])[0].tokens == ()


def test_without_a_limit_the_context_is_the_limit(engine: EmbeddedEngine) -> None:
    long = ask("x" * 1900, max_tokens=None)
    reply = engine.chat([long])[0]
    whole = reply.usage.prompt_tokens + reply.usage.completion_tokens == engine.context
    # A random model may begin to repeat itself, which ends a reply as well.
    assert reply.finish_reason == "stop" or whole or reply.usage.completion_tokens >= LOOP


def test_a_reader_that_waits_holds_nobody_up_and_one_that_leaves_ends_the_work(engine: EmbeddedEngine) -> None:
    passes: list[int] = []
    hook = engine.network.get_input_embeddings().register_forward_hook(lambda *_: passes.append(1))
    stream = engine.stream(ask("a long one", max_tokens=1000))
    first = next(stream)
    assert first.text
    assert len(passes) < 20, "the first piece comes before the reply is whole"
    assert engine.chat([ask("?")])[0].text
    stream.close()
    before = len(passes)
    assert list(stream) == []
    assert len(passes) == before
    hook.remove()


def test_options_out_of_range_are_refused_by_name(engine: EmbeddedEngine) -> None:
    for name, value in (("top_p", 0.0), ("top_p", 2.0), ("stop", [""]), ("frequency_penalty", 3.0), ("max_tokens", 0)):
        with pytest.raises(MalformedTask, match=name):
            engine.chat([replace(ask("?"), **{name: value})])
