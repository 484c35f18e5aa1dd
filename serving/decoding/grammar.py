"""Replies that satisfy a grammar over the model's tokens: a request's own, or one made from its tools and its response format.

Constrained decoding (Willard and Louf 2023, "Efficient Guided Generation for Large Language Models", https://arxiv.org/abs/2307.09702):
before each token all those that the grammar does not allow are masked. The parser is llguidance
(https://github.com/guidance-ai/llguidance). What the grammar forces (names of keys, marks around a call) is not asked of the model at all
but read in one forward pass with the token before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ...core import MalformedTask, ToolSpecification
from ...core.extras import require
from ...core.messages import CALL_BEGIN, CALL_END
from ..engine import ChatRequest, check_tools
from ..prompts import clean_text
from .closed import closed

if TYPE_CHECKING:
    import torch

MOST_CALLS = 16
"""Calls in one reply; a small model may otherwise repeat one until its context is full."""

ENDLESS = 4096
"""Characters that a grammar may force at its beginning; a model's context has no room for many more."""

# Separators as `json.dumps` writes them and no other whitespace: less for the model to decide, and none that it could repeat for ever.
_SPACING = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_TEXT = r"/(.|\n)*/"


class Grammars:
    """The grammars of one tokenizer; it is read once, which takes about a second."""

    def __init__(self, tokenizer: Any, *, words: int, ends: Sequence[int]) -> None:
        """`words` is the number of the model's logits, `ends` are the tokens that may end a reply. Raises `PackageMissing`."""
        require("llguidance")
        from llguidance import LLTokenizer

        backend = tokenizer.backend_tokenizer
        self._ends = list(ends)
        self._tokenizer = LLTokenizer(backend.to_str(), n_vocab=max(words, backend.get_vocab_size()), eos_token=list(ends))

    def constraint(self, grammar: str, *, own: bool = False) -> Grammar:
        """The beginning of a reply under a grammar of `grammar_of`; `own` says that the request brought it.

        Raises `MalformedTask` for one that cannot be built.
        """
        from llguidance import LLMatcher

        matcher = LLMatcher(self._tokenizer, clean_text(grammar), log_level=0)
        if matcher.is_error():
            if own:
                raise MalformedTask(f"the grammar of the request cannot be used ({matcher.get_error()[:300]}); correct it")
            # What follows the first line shows the grammar, which nobody wrote.
            reason = matcher.get_error().partition("\n")[0].rpartition("failed to compile JSON schema: ")[2][:300]
            raise MalformedTask(f"a JSON schema of the request cannot be used ({reason}); correct the tool's parameters or response_format")
        return Grammar(matcher, self._ends)


class Grammar:
    """A `Constraint`: where a reply stands in its grammar."""

    def __init__(self, matcher: Any, ends: Sequence[int]) -> None:
        self._matcher = matcher
        self._ends = list(ends)

    def mask(self, logits: torch.Tensor) -> torch.Tensor:
        """The logits, shape (words,), with minus infinity where a token is not allowed."""
        import numpy as np
        import torch

        if self._matcher.is_error():
            raise MalformedTask(
                f"a grammar or JSON schema of the request is too much for the parser ({self._matcher.get_error()[:200]}); simplify it"
            )
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        allowed = torch.from_numpy(np.unpackbits(bits, bitorder="little")[: len(logits)].astype(bool))
        allowed = torch.nn.functional.pad(allowed, (0, len(logits) - len(allowed)))  # a model may have more logits than tokens
        if not allowed.any():
            # A grammar that nothing can satisfy, or that no token of this model leads on in: the reply ends here.
            allowed[self._ends] = True
        return logits.masked_fill(~allowed.to(logits.device), -torch.inf)

    def take(self, token: int) -> list[int]:
        """Note a chosen token; returns what the grammar forces after it."""
        self._matcher.consume_token(token)
        return self.forced()

    def forced(self) -> list[int]:
        """What can only be written next; it counts as written."""
        tokens: list[int] = self._matcher.compute_ff_tokens()
        self._matcher.consume_tokens(tokens)
        return tokens


@lru_cache(maxsize=64)  # all attempts at a task have its grammar
def grammar_error(grammar: str) -> str:
    """Why a grammar cannot be used, in one line; empty where it can, or where the package llguidance is not there to tell.

    One that allows no text is an error where its beginning shows it: whether a grammar allows any text cannot always be told.
    """
    if find_spec("llguidance") is None:
        return ""
    from llguidance import LLMatcher, LLTokenizer

    error: str = LLMatcher.validate_grammar(clean_text(grammar), None)
    if error:
        return " ".join(error.split())[:300]
    matcher = LLMatcher(LLTokenizer("byte"), clean_text(grammar), log_level=0)
    forced = matcher.compute_ff_tokens()
    if len(forced) >= ENDLESS:
        return f"it forces a text without an end, which begins with {bytes(forced[:40]).decode(errors='replace')!r}"
    matcher.consume_tokens(forced)
    if matcher.is_accepting():
        return ""
    matcher.compute_bitmask()  # that nothing can follow shows when the parser looks for it
    return "it allows no text at all" if matcher.is_error() else ""


def grammar_accepts(grammar: str, text: str) -> bool:
    """Whether a whole text is one that a grammar allows, whatever the tokens. Raises `PackageMissing`, `MalformedTask` for no grammar."""
    require("llguidance")
    from llguidance import LLMatcher, LLTokenizer

    if error := grammar_error(grammar):
        raise MalformedTask(f"the grammar cannot be used ({error}); correct it")
    matcher = LLMatcher(LLTokenizer("byte"), clean_text(grammar), log_level=0)
    data = list(clean_text(text).encode())
    return bool(matcher.try_consume_tokens(data) == len(data) and matcher.is_accepting())


def grammar_of(request: ChatRequest) -> str:
    """The grammar of a request's reply in llguidance's form of Lark; empty where anything may be written.

    A request's own `grammar` stands as it is.

    With tools a reply is a text, or calls in the text form of `core.messages`, after a text where the model says one. Raises
    `MalformedTask` for a schema that is recursive or no object, a tool without a name, a `tool_choice` of a tool that is not there.
    """
    if request.grammar:
        return request.grammar
    schema, tools = reply_schema(request.response_format), _callable(request)
    if not tools:
        return f"%llguidance {{}}\nstart: {_json(schema, 'response_format')}\n" if schema is not None else ""
    more = f'("\\n{CALL_BEGIN}" call){{0,{MOST_CALLS - 1}}}' if request.parallel_tool_calls else ""
    must = request.tool_choice not in ("", "auto")
    text = "TEXT" if schema is None else _json(schema, "response_format")
    rules = [f'start: "{CALL_BEGIN}" call {more}' if must else f"start: {text} | begin call {more}"]
    if not must:
        # Lazy: as soon as the mark is written, what follows is a call.
        rules += [f'begin[lazy]: {_TEXT} "{CALL_BEGIN}"', *([f"TEXT: {_TEXT}"] if schema is None else [])]
    rules.append("call: " + " | ".join(f"call_{number}" for number in range(len(tools))))
    for number, tool in enumerate(tools):
        name = tool["function"]["name"]
        before, after = (
            json.dumps("\n" + '{"name": ' + json.dumps(name, ensure_ascii=False) + ', "arguments": '),
            json.dumps("}\n" + CALL_END),
        )
        rules.append(f"call_{number}: {before} {_json(_parameters(tool), f'tool {name}')} {after}")
    return "\n".join(["%llguidance {}", *rules, ""])


def reply_schema(response_format: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The JSON schema of a `response_format`, None where any text may be written. Raises `MalformedTask` for one that is not known."""
    kind = response_format.get("type") if response_format else "text"
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    named = response_format.get("json_schema") if response_format else None
    schema = named.get("schema") if isinstance(named, Mapping) else None
    if kind == "json_schema" and isinstance(schema, Mapping):
        return dict(schema)
    raise MalformedTask("response_format must be of type text, json_object, or json_schema with json_schema.schema")


def _callable(request: ChatRequest) -> list[ToolSpecification]:
    """The tools that the reply may call."""
    check_tools(request.tools)
    if request.tool_choice == "none":
        return []
    if request.tool_choice in ("", "auto", "required"):
        if request.tool_choice == "required" and not request.tools:
            raise MalformedTask("tool_choice is 'required' and there are no tools; send tools, or leave tool_choice out")
        return list(request.tools)
    named = [tool for tool in request.tools if tool["function"]["name"] == request.tool_choice]
    if not named:
        names = [tool["function"]["name"] for tool in request.tools]
        raise MalformedTask(f"tool_choice names {request.tool_choice!r}, which is not among the tools {names}")
    return named


def _parameters(tool: ToolSpecification) -> Any:
    """The schema of a tool's arguments, which are an object whatever it says, with the properties that it names."""
    parameters = tool["function"].get("parameters")
    if parameters is None:
        return {"type": "object", "properties": {}, "additionalProperties": False}
    if isinstance(parameters, dict) and parameters.get("type", "object") != "object":
        name = tool["function"]["name"]
        raise MalformedTask(f"the parameters of tool {name} are of type {str(parameters['type'])[:80]!r}; arguments are an object")
    return closed({"type": "object", **parameters}) if isinstance(parameters, dict) else parameters


def _json(schema: Any, where: str) -> str:
    if not isinstance(schema, dict):
        raise MalformedTask(f"the JSON schema of {where} must be an object, got {str(schema)[:80]!r}")
    if cycle := _cycle(schema):
        raise MalformedTask(
            f"the JSON schema of {where} is recursive ({cycle} leads back to itself); write it out to the depth that is needed"
        )
    return f"%json {json.dumps({**schema, 'x-guidance': _SPACING})}"


def _cycle(schema: dict[str, Any]) -> str:
    """A `$ref` of the schema that leads back to itself; empty where none does. References out of the schema are left to the parser."""
    done: set[str] = set()

    def search(value: Any, path: tuple[str, ...]) -> str:
        for reference in _references(value):
            if reference in path or reference in ("#", "#/"):
                return reference
            if reference not in done:
                if found := search(_target(schema, reference), (*path, reference)):
                    return found
                done.add(reference)
        return ""

    try:
        return search(schema, ())
    except RecursionError:
        raise MalformedTask("a JSON schema of the request is nested too deeply; flatten it") from None


def _references(value: Any) -> Iterator[str]:
    """Every local `$ref` that is needed to read a schema, definitions aside."""
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            yield reference
        for key, item in value.items():
            if key not in ("$defs", "definitions", "enum", "const", "default", "examples"):
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _target(schema: Any, reference: str) -> Any:
    """What a reference such as `#/$defs/point` means; None where nothing stands there (RFC 6901)."""
    for key in reference.removeprefix("#").strip("/").split("/"):
        key = key.replace("~1", "/").replace("~0", "~")
        schema = schema.get(key) if isinstance(schema, dict) else None
    return schema
