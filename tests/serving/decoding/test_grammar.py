"""Grammars from tools and response formats: what they allow, what they force, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from lifelong.core import MalformedTask
from lifelong.core.messages import tool_specification
from lifelong.serving import ChatRequest, EmbeddedEngine
from lifelong.serving.decoding.grammar import Grammar, Grammars, grammar_accepts, grammar_error, grammar_of, reply_schema

ROUTE = {"type": "object", "properties": {"queue": {"enum": ["billing", "sales"]}, "id": {"type": "integer"}}, "required": ["queue", "id"]}
CALL = '<tool_call>\n{"name": "route", "arguments": {"queue": "sales", "id": 7}}\n</tool_call>'


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> EmbeddedEngine:
    return EmbeddedEngine(tiny_model, dtype="float32", device="cpu")


@pytest.fixture(scope="module")
def grammars(engine: EmbeddedEngine) -> Grammars:
    return Grammars(engine.tokenizer, words=259, ends=[2])


def request(*schemas: Any, **fields: Any) -> ChatRequest:
    tools = [tool_specification("route" if not number else f"route_{number}", "", schema) for number, schema in enumerate(schemas)]
    return ChatRequest(messages=[{"role": "user", "content": "?"}], tools=tools, **fields)


def allows(engine: EmbeddedEngine, grammar: Grammar, text: str) -> bool:
    """Whether a reply under the grammar may be exactly this text; forced tokens count as written."""
    tokens: Sequence[int] = [*engine._tokens(text), 2]
    place = 0
    forced = grammar.forced()
    while True:
        if list(tokens[place : place + len(forced)]) != forced:
            return False
        place += len(forced)
        if not torch.isfinite(grammar.mask(torch.zeros(259))[tokens[place]]):
            return False
        if place == len(tokens) - 1:
            return True
        forced = grammar.take(tokens[place])
        place += 1


@pytest.mark.parametrize(
    ("choice", "text", "allowed"),
    [
        ("auto", "Just words, and <b>marks</b>.", True),
        ("auto", CALL, True),
        ("auto", f"Let me see.\n{CALL}\n{CALL}", True),
        ("auto", CALL.replace("sales", "other"), False),
        ("auto", CALL.replace("7", "seven"), False),
        ("auto", CALL.replace("route", "delete"), False),
        ("auto", CALL[:-1], False),
        ("auto", f"{CALL} and so on", False),
        ("required", CALL, True),
        ("required", "Just words.", False),
        ("required", f"Words. {CALL}", False),
        ("route", CALL, True),
        ("route_1", CALL, False),
    ],
)
def test_a_reply_is_a_text_or_calls_that_fit(engine: EmbeddedEngine, grammars: Grammars, choice: str, text: str, allowed: bool) -> None:
    grammar = grammars.constraint(grammar_of(request(ROUTE, None, tool_choice=choice)))
    assert allows(engine, grammar, text) is allowed


def test_one_call_at_most_where_calls_may_not_be_parallel(engine: EmbeddedEngine, grammars: Grammars) -> None:
    asked = request(ROUTE, parallel_tool_calls=False)
    assert allows(engine, grammars.constraint(grammar_of(asked)), CALL)
    assert not allows(engine, grammars.constraint(grammar_of(asked)), f"{CALL}\n{CALL}")


def test_what_is_forced_is_written_at_once(engine: EmbeddedEngine, grammars: Grammars) -> None:
    grammar = grammars.constraint(grammar_of(request(ROUTE, tool_choice="required")))
    assert engine.tokenizer.decode(grammar.forced()) == '<tool_call>\n{"name": "route", "arguments": {"queue": "'
    assert engine.tokenizer.decode(grammar.take(engine._tokens("b")[0])) == 'illing", "id": '


def test_names_of_any_letters_are_read_back(engine: EmbeddedEngine, grammars: Grammars) -> None:
    name = 'go "north" / süd 🙂'
    asked = ChatRequest(messages=[], tools=[tool_specification(name)], tool_choice="required")
    text = engine.tokenizer.decode(grammars.constraint(grammar_of(asked)).forced())
    assert json.loads(text.partition("\n")[2].removesuffix("{") + "{}}") == {"name": name, "arguments": {}}


def test_a_format_is_a_schema(engine: EmbeddedEngine, grammars: Grammars) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": ROUTE}}
    asked = ChatRequest(messages=[], response_format=wanted)
    for text, allowed in ((json.dumps({"queue": "billing", "id": 3}), True), ("billing", False), ("{}", False)):
        assert allows(engine, grammars.constraint(grammar_of(asked)), text) is allowed
    assert grammar_of(ChatRequest(messages=[], response_format={"type": "text"})) == ""
    assert reply_schema({"type": "json_object"}) == {"type": "object"}
    assert grammar_of(request(ROUTE, tool_choice="none")) == ""


RECURSIVE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"anyOf": [{"$ref": "#/$defs/n"}]}}}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"$ref": "#"}, "tool route is recursive"),
        (RECURSIVE, "tool route is recursive"),
        (True, "must be an object"),
        ({"type": "string"}, "arguments are an object"),
        ({"type": "object", "properties": 7}, "properties must be an object"),
        ({"properties": {"a": {"type": "nonsense"}}}, "Invalid type: nonsense"),
        ({"$ref": "http://elsewhere/schema"}, "not present"),
        ({"$ref": "#/$defs/none"}, "does not exist"),
        ({"properties": {"a": {"type": "string", "pattern": "("}}}, "regex"),
        ({"properties": {"a": {"not": {}}}}, "Unimplemented"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_the_reason(engine: EmbeddedEngine, schema: Any, said: str) -> None:
    with pytest.raises(MalformedTask, match=said):
        engine.chat([request(schema)])


def test_a_definition_that_is_used_twice_is_not_recursive(engine: EmbeddedEngine, grammars: Grammars) -> None:
    point = {"type": "object", "properties": {"x": {"enum": [1]}}, "required": ["x"], "additionalProperties": False}
    schema = {"properties": {"a": {"$ref": "#/$defs/p"}, "b": {"$ref": "#/$defs/p"}}, "required": ["a", "b"], "$defs": {"p": point}}
    grammar = grammars.constraint(grammar_of(request({**schema, "additionalProperties": False}, tool_choice="required")))
    assert '{"a": {"x": 1}, "b": {"x": 1}}' in engine.tokenizer.decode(grammar.forced())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tool_choice": "required"}, "there are no tools"),
        ({"tool_choice": "fly"}, "'fly', which is not among"),
        ({"tools": [{"type": "function"}]}, "function that has a name"),
        ({"response_format": {"type": "xml"}}, "response_format must be"),
        ({"response_format": {"type": "json_schema"}}, "response_format must be"),
    ],
)
def test_requests_that_contradict_themselves_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(MalformedTask, match=said):
        grammar_of(ChatRequest(messages=[], **fields))


COUNTS = '%llguidance {}\nstart: "count " NUMBER\nNUMBER: /[0-9]+/ | "none"'


def asked(grammar: str, **fields: Any) -> ChatRequest:
    return ChatRequest(messages=[{"role": "user", "content": "?"}], grammar=grammar, **fields)


def test_a_request_s_own_grammar_constrains_and_forces(engine: EmbeddedEngine) -> None:
    [reply] = engine.chat([asked(COUNTS, max_tokens=12)])
    assert reply.text.startswith("count ")
    assert not reply.finished or grammar_accepts(COUNTS, reply.text)
    sampled = engine.chat([asked(COUNTS, max_tokens=12, temperature=1.5, seed=seed) for seed in range(4)])
    assert all(one.text.startswith("count ") for one in sampled)
    assert len({one.text for one in sampled}) > 1
    whole = "".join(piece.text for piece in engine.stream(asked(COUNTS, max_tokens=12)))
    assert whole == reply.text


def test_a_grammar_that_allows_one_text_is_read_in_one_pass(engine: EmbeddedEngine) -> None:
    [reply] = engine.chat([asked('start: "SELECT a FROM b"', max_tokens=40)])
    assert (reply.text, reply.finish_reason) == ("SELECT a FROM b", "stop")
    assert reply.usage.completion_tokens <= len("SELECT a FROM b") + 1


@pytest.mark.parametrize("grammar", ["start: missing_rule", "start: (", "%llguidance {}", "start: /[/", "\ud800"])
def test_a_grammar_that_cannot_be_read_is_refused_with_the_reason(engine: EmbeddedEngine, grammar: str) -> None:
    assert grammar_error(grammar)
    with pytest.raises(MalformedTask, match="the grammar of the request cannot be used"):
        engine.chat([asked(grammar)])
    with pytest.raises(MalformedTask, match="the grammar cannot be used"):
        grammar_accepts(grammar, "a")


NEVER = "\nNEVER: /b/ & /c/"


@pytest.mark.parametrize(
    ("grammar", "said"),
    [
        (f"%llguidance {{}}\nstart: NEVER{NEVER}", "it allows no text at all"),
        (f'%llguidance {{}}\nstart: "a" NEVER{NEVER}', "it allows no text at all"),
        ('%llguidance {}\nstart: a\na: "x" a', "it forces a text without an end, which begins with 'xxx"),
        # No beginning of it shows that it has no end.
        (f'%llguidance {{}}\nstart: ("x" | "y") NEVER{NEVER}', ""),
    ],
)
def test_a_grammar_that_nothing_satisfies_ends_the_reply(engine: EmbeddedEngine, grammar: str, said: str) -> None:
    assert grammar_error(grammar).startswith(said)
    [reply] = engine.chat([asked(grammar, max_tokens=30)])
    assert reply.usage.completion_tokens <= 30
    assert set(reply.text) <= set("axy")


@pytest.mark.parametrize("grammar", ['start: ""', 'start: "a"', "start: /a*/", COUNTS])
def test_a_grammar_that_something_satisfies_is_no_error(grammar: str) -> None:
    assert grammar_error(grammar) == ""


def test_an_ambiguous_grammar_is_followed(engine: EmbeddedEngine) -> None:
    ambiguous = '%llguidance {}\nstart: a | b\na: "x" a | "x"\nb: b "x" | "x"'
    [reply] = engine.chat([asked(ambiguous, max_tokens=8)])
    assert set(reply.text) == {"x"}
    assert grammar_accepts(ambiguous, "xxx")


@pytest.mark.parametrize(
    "beside", [{"choices": ["a"]}, {"response_format": {"type": "json_object"}}, {"tools": [tool_specification("route", "", ROUTE)]}]
)
def test_a_grammar_stands_alone(engine: EmbeddedEngine, beside: dict[str, Any]) -> None:
    with pytest.raises(MalformedTask, match=f"a grammar and {next(iter(beside))}"):
        engine.chat([asked(COUNTS, **beside)])
