"""Options of sampling that every protocol shares: read under the names of a request to an engine, or refused by name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ....core import MalformedTask

REFUSED = (
    "logit_bias",
    "top_logprobs",
    "top_k",
    "min_p",
    "repetition_penalty",
    "functions",
    "function_call",
    "audio",
    "prediction",
    "web_search_options",
)
"""Options that change an answer and that engines of ours do not have, whatever the protocol."""


def shared_options(body: Mapping[str, Any], *, stop: str = "stop", refused: Iterable[str] = ()) -> dict[str, Any]:
    """What a body sets of the options that have one meaning everywhere; `stop` is the protocol's name of the stop texts.

    Raises `MalformedTask` for one of `REFUSED` or `refused` that is set, and for one of the wrong type.

    >>> shared_options({"top_p": 0.9, "presence_penalty": 0, "seed": 7})
    {'top_p': 0.9, 'seed': 7}
    """
    refuse(body, (*REFUSED, *refused))
    found: dict[str, Any] = {}
    for name, neutral in (("top_p", 1), ("presence_penalty", 0), ("frequency_penalty", 0)):
        value = number(body, name)
        if value is not None and value != neutral:
            found[name] = value
    seed = body.get("seed")
    if seed is not None:
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise wrong_type("seed", seed, "a whole number")
        found["seed"] = seed
    if flag(body, "logprobs"):
        found["logprobs"] = True
    if texts := _texts(body, stop):
        found["stop"] = texts
    return found


def refuse(body: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise `MalformedTask` for the first of these options that the body sets; null, false, 0 and nothing do not set one."""
    if set_here := next((name for name in names if body.get(name)), None):
        raise MalformedTask(f"{set_here} is not supported by this engine; leave it out")


def number(body: Mapping[str, Any], name: str) -> float | None:
    """A finite number. Raises `MalformedTask`."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise wrong_type(name, value, "a number")
    return value


def flag(body: Mapping[str, Any], name: str, default: bool = False) -> bool:
    """True or false. Raises `MalformedTask`."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise wrong_type(name, value, "true or false")
    return value


def mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A JSON object, empty where the body has none. Raises `MalformedTask`."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise wrong_type(name, value, "a JSON object")
    return value


def chosen_tool(choice: Any, *, modes: Mapping[str, str], named: str, allowed: str) -> dict[str, Any]:
    """`tool_choice` as an engine has it: a mode, or the name of the tool that must be called.

    `modes` are the protocol's words for the engine's; an object whose `type` is `named` has the tool's `name`. Raises `MalformedTask`,
    which lists what is `allowed`.
    """
    if choice is None:
        return {}
    refused = MalformedTask(f"tool_choice must be {allowed}")
    kind = choice.get("type") if isinstance(choice, Mapping) else choice
    if isinstance(choice, Mapping) and kind == named:
        name = choice.get("name")
        if not isinstance(name, str) or not name:
            raise refused
        return {"tool_choice": name}
    if not isinstance(kind, str) or kind not in modes:
        raise refused
    return {} if modes[kind] == "auto" else {"tool_choice": modes[kind]}


def wrong_type(name: str, value: object, wanted: str) -> MalformedTask:
    """The error for an option of the wrong type."""
    return MalformedTask(f"{name} is {str(value)[:80]!r}, which is of the wrong type; it must be {wanted}")


def _texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = body.get(name)
    texts = [value] if isinstance(value, str) else value or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise MalformedTask(f"{name} must be a text or a list of texts")
    return tuple(texts)
