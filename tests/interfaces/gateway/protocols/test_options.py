"""Every option of sampling and of tools in every protocol: it reaches the engine, or is refused by its own name."""

from __future__ import annotations

from typing import Any

import pytest

from lifelong.core import EngineCodec, MalformedTask
from lifelong.interfaces.gateway.app import CODECS

CHAT, RESPONSES, MESSAGES = (
    codec for name in ("openai-chat", "openai-responses", "anthropic-messages") for codec in CODECS if codec.name == name
)
BODIES: dict[str, dict[str, Any]] = {
    "openai-chat": {"messages": [{"role": "user", "content": "x"}]},
    "openai-responses": {"input": "x"},
    "anthropic-messages": {"messages": [{"role": "user", "content": "x"}]},
}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
EVERYWHERE: list[tuple[dict[str, Any], dict[str, Any] | str]] = [
    ({"seed": 4}, {"seed": 4}),
    ({"seed": 0}, {"seed": 0}),
    ({"top_p": 0.5}, {"top_p": 0.5}),
    ({"top_p": 1, "presence_penalty": 0, "frequency_penalty": 0.0, "logprobs": False, "seed": None}, {}),
    ({"presence_penalty": 0.5}, {"presence_penalty": 0.5}),
    ({"frequency_penalty": -1}, {"frequency_penalty": -1}),
    ({"logprobs": True}, {"logprobs": True}),
    ({"tool_choice": None}, {}),
    ({"tool_choice": 5}, "tool_choice"),
    ({"tool_choice": "wizard"}, "tool_choice"),
    ({"tool_choice": {"type": "wizard"}}, "tool_choice"),
    ({"seed": "a"}, "seed"),
    ({"seed": True}, "seed"),
    ({"top_p": "1"}, "top_p"),
    ({"presence_penalty": float("nan")}, "presence_penalty"),
    ({"logprobs": 3}, "logprobs"),
    ({"logit_bias": {"5": 1}}, "logit_bias"),
    ({"top_logprobs": 3}, "top_logprobs"),
    ({"top_logprobs": 0, "logit_bias": {}}, {}),
    ({"top_k": 5}, "top_k"),
    ({"min_p": 0.1}, "min_p"),
    ({"repetition_penalty": 1.1}, "repetition_penalty"),
]
OWN: list[tuple[EngineCodec, dict[str, Any], dict[str, Any] | str]] = [
    (CHAT, {"stop": "x"}, {"stop": ("x",)}),
    (CHAT, {"stop": ["x", "y"]}, {"stop": ("x", "y")}),
    (CHAT, {"stop": [1]}, "stop"),
    (CHAT, {"tool_choice": "required"}, {"tool_choice": "required"}),
    (CHAT, {"tool_choice": {"type": "function", "function": {"name": "look"}}}, {"tool_choice": "look"}),
    (CHAT, {"tool_choice": {"function": 1}}, "tool_choice"),
    (CHAT, {"tool_choice": {"type": "function", "function": {}}}, "tool_choice"),
    (CHAT, {"parallel_tool_calls": False}, {"parallel_tool_calls": False}),
    (CHAT, {"parallel_tool_calls": "no"}, "parallel_tool_calls"),
    (CHAT, {"response_format": FORM}, {"response_format": FORM}),
    (CHAT, {"response_format": {"type": "text"}}, {}),
    (CHAT, {"response_format": "json"}, "response_format"),
    (CHAT, {"functions": [{"name": "x"}]}, "functions"),
    (RESPONSES, {"stop": ["x"]}, {"stop": ("x",)}),
    (RESPONSES, {"tool_choice": {"type": "function", "name": "look"}}, {"tool_choice": "look"}),
    (RESPONSES, {"tool_choice": {"type": "web_search"}}, "tool_choice"),
    (RESPONSES, {"parallel_tool_calls": False}, {"parallel_tool_calls": False}),
    (RESPONSES, {"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
    (RESPONSES, {"include": ["reasoning.encrypted_content"], "store": False, "reasoning": {"summary": "auto"}}, {}),
    (RESPONSES, {"text": {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA}}}, {"response_format": FORM}),
    (RESPONSES, {"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}),
    (RESPONSES, {"text": {"format": {"type": "text"}, "verbosity": "low"}}, {}),
    (RESPONSES, {"text": 5}, "text"),
    (RESPONSES, {"n": 2}, "n"),
    (RESPONSES, {"previous_response_id": "resp_1"}, "previous_response_id"),
    (RESPONSES, {"background": True}, "background"),
    (MESSAGES, {"stop_sequences": ["x"]}, {"stop": ("x",)}),
    (MESSAGES, {"stop_sequences": [1]}, "stop_sequences"),
    (MESSAGES, {"tool_choice": {"type": "auto"}}, {}),
    (
        MESSAGES,
        {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
        {"tool_choice": "required", "parallel_tool_calls": False},
    ),
    (MESSAGES, {"tool_choice": {"type": "tool", "name": "look"}}, {"tool_choice": "look"}),
    (MESSAGES, {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "low"}}, {"response_format": FORM}),
    (MESSAGES, {"output_format": {"type": "json_schema", "schema": SCHEMA}}, {"response_format": FORM}),
    (MESSAGES, {"output_config": {"format": {"type": "xml"}}}, "output_config.format"),
    (MESSAGES, {"n": 2}, "n"),
    (MESSAGES, {"mcp_servers": [{"name": "x"}]}, "mcp_servers"),
    (MESSAGES, {"thinking": {"type": "adaptive"}, "metadata": {"user_id": "u"}, "service_tier": "auto"}, {}),
]
TABLE = [(codec, *row) for codec in (CHAT, RESPONSES, MESSAGES) for row in EVERYWHERE] + OWN


@pytest.mark.parametrize(("codec", "fields", "wanted"), TABLE)
def test_an_option_is_read_or_refused_by_name(codec: EngineCodec, fields: dict[str, Any], wanted: dict[str, Any] | str) -> None:
    body = {**BODIES[codec.name], **fields}
    if isinstance(wanted, str):
        with pytest.raises(MalformedTask, match=wanted):
            codec.options(body)
    else:
        assert codec.options(body) == wanted


@pytest.mark.parametrize("codec", [CHAT, RESPONSES, MESSAGES], ids=lambda codec: codec.name)
def test_a_body_without_options_has_none(codec: EngineCodec) -> None:
    assert isinstance(codec, EngineCodec)
    assert codec.options(BODIES[codec.name]) == {}
