"""Requests in words that ask for a call of a tool, made of the tool's own description.

The way from a call to words is what wake-sleep learning calls the generative direction (Hinton et al. 1995, "The wake-sleep algorithm",
https://doi.org/10.1126/science.7761831); here templates go it, so that words and call always agree.
"""

from __future__ import annotations

import datetime
import random
import re
from collections.abc import Mapping
from typing import Any

from ...core.messages import FunctionSpecification

_FRAMES = (
    "{}.", "{}.", "Please {}.", "Can you {}?", "Could you {}?", "I need to {}.", "I want to {}.", "I would like to {}.", "Help me {}.",
)  # fmt: skip
_PAIRS = ("{} {}", "{} {}", "{} {}", "{} of {}", "{}: {}", "{} = {}", "{} set to {}", "the {} {}")
# "in a given city" names a parameter; "given its base" begins what the description says of them.
_TAIL = re.compile(
    r"(?<!\ba)(?<!\ban)(?<!\bthe),? (?:given|based on|using|by providing|provided|specified by|according to|"
    r"(?:from|for|with) the given|by)\b.*$",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:this|the|a|an)\s+(?:function|tool|method|api|endpoint)\s+(?:that\s+|which\s+|is used to\s+|can\s+|to\s+)?", re.IGNORECASE
)
_PLACE = (
    r"\b(in|for|of|from|to|at|on|with|between|about|by)\s+(?:the\s+|a\s+|an\s+|its\s+|their\s+)?(?:given\s+|specific\s+|specified\s+)?{}\b"
)
_WHETHER = re.compile(r"^(?:whether|if|set to true|flag|true)\s+(?:or not\s+)?(?:to|should)?\s*", re.IGNORECASE)
_MOST_WORDS = 5
"""Words that the name of a parameter in words may have, where a description gives one."""


def ask_for(function: FunctionSpecification, arguments: Mapping[str, Any], rng: random.Random) -> str:
    """A request for a call of a function with these arguments, all of which are named in it."""
    parameters: Any = function.get("parameters")
    given = parameters.get("properties") if isinstance(parameters, Mapping) else None
    properties = {name: one for name, one in given.items() if isinstance(one, Mapping)} if isinstance(given, Mapping) else {}
    # Now and then the tool's name says it.
    text, left = imperative(function) if rng.random() < 0.7 else spoken(function["name"]), dict(arguments)
    for name, value in arguments.items():
        counted = re.compile(rf"\b(?:a|the) number of {re.escape(spoken(name))}\b", re.IGNORECASE)
        if isinstance(value, int) and not isinstance(value, bool) and counted.search(text):
            text = counted.sub(f"{value} {spoken(name)}", text, count=1)
            del left[name]
    for name in sorted(left, key=len, reverse=True):
        value = left[name]
        if isinstance(value, bool) or not isinstance(value, str | int | float) or rng.random() < 0.2:
            continue
        # Only behind a preposition: "Get the weather" is no place for a parameter called weather.
        place = re.compile(_PLACE.format(re.escape(spoken(name)) + "s?"), re.IGNORECASE)
        if place.search(text):
            # "in Oslo", but "of room 12".
            said = ("" if isinstance(value, str) else f"{spoken(name)} ") + say(value, properties.get(name), rng)
            text = place.sub(lambda match, said=said: f"{match[1]} {said}", text, count=1)  # type: ignore[misc]
            del left[name]
    text = re.sub(r"\b(?:given|specified|specific) (?=\w)", "", text)
    texts = [name for name, value in arguments.items() if isinstance(value, str) and "enum" not in (properties.get(name) or {})]
    alone = {name for name, value in left.items() if isinstance(value, str) and name not in texts} | (
        set(texts) if len(texts) == 1 else set()
    )
    names = list(left)
    rng.shuffle(names)
    if parts := [_clause(name, left[name], properties.get(name), rng, alone=name in alone) for name in names]:
        flags = [part for name, part in zip(names, parts, strict=True) if isinstance(left[name], bool)]
        others = [part for name, part in zip(names, parts, strict=True) if not isinstance(left[name], bool)]
        text += f" {rng.choice(('with', 'with', 'using', 'for'))} {_listed(others)}" if others else ""
        text += f"{',' if others else ''} and {_listed(flags)}" if flags else ""
    return _framed(text, rng)


def imperative(function: FunctionSpecification) -> str:
    """What a tool does, as a request without its end: the first sentence of its description, without what it says of the parameters.

    >>> imperative({"name": "area", "description": "Calculates the area of a triangle, given its base and height. Fast."})
    'calculate the area of a triangle'
    >>> imperative({"name": "get_weather"})
    'get weather'
    """
    first = (
        re.split(r"(?<=[a-z\)])(?<!e\.g)(?<!i\.e)[.!?](?:\s|$)|\n", str(function.get("description") or "").strip())[0].strip().rstrip(".!?")
    )
    text = _TAIL.sub("", _LEAD.sub("", first)).strip(" ,;:") or spoken(function["name"])
    words = text.split()
    if len(words) > 30:
        words = spoken(function["name"]).split()
    words[0] = _base_form(words[0] if words[0].isupper() else words[0][:1].lower() + words[0][1:])
    return " ".join(words)


def spoken(name: str) -> str:
    """A name in words.

    >>> spoken("getUserName"), spoken("math.triangle_area")
    ('get user name', 'math triangle area')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace(".", " ").replace("-", " ")
    return " ".join(words.split()).lower()


def say(value: Any, schema: Any, rng: random.Random) -> str:
    """A value as people would say it: a list with its commas, a date sometimes by the month's name."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, list):
        return _listed([say(one, None, rng) for one in value]) or "nothing"
    if isinstance(value, Mapping):
        return _listed([f"{spoken(name)} {say(one, None, rng)}" for name, one in value.items()]) or "nothing"
    if isinstance(value, str) and isinstance(schema, Mapping) and schema.get("format") == "date" and rng.random() < 0.5:
        day = datetime.date.fromisoformat(value)
        return f"{day:%B} {day.day}, {day.year}"
    return str(value)


def _clause(name: str, value: Any, schema: Any, rng: random.Random, *, alone: bool) -> str:
    """One argument in words; `alone` says that its value can be no other's, so that its name may be left out."""
    about = str(schema.get("description") or "") if isinstance(schema, Mapping) else ""
    if isinstance(value, bool):
        does = _WHETHER.sub("", about).strip(" .")
        if _WHETHER.match(about) and 0 < len(does.split()) <= 8:
            return does[:1].lower() + does[1:] if value else f"do not {does[:1].lower()}{does[1:]}"
        return f"set {spoken(name)} to {'true' if value else 'false'}"
    noun, said = _noun(name, about) if rng.random() < 0.4 else spoken(name), say(value, schema, rng)
    if isinstance(value, int | float) and spoken(name).endswith("s") and rng.random() < 0.6:
        return f"{said} {spoken(name)}"
    return said if alone and rng.random() < 0.4 else rng.choice(_PAIRS).format(noun, said)


def _noun(name: str, about: str) -> str:
    """The parameter as its description calls it, where that is short: `The base of the triangle in cm.`, `base of the triangle`."""
    phrase = re.split(r"[.,;:(]| (?:in|to|for|that|which|as|on|e\.g)\b", " ".join(about.split()))[0].strip()
    phrase = re.sub(r"^(?:the|a|an)\s+", "", phrase, flags=re.IGNORECASE)
    short = 0 < len(phrase.split()) <= _MOST_WORDS and re.fullmatch(r"[\w '-]+", phrase) is not None
    return phrase[:1].lower() + phrase[1:] if short else spoken(name)


def _base_form(verb: str) -> str:
    """The verb as a request has it: `returns`, `return`; `fetches`, `fetch`."""
    if re.search(r"(?:ch|sh|ss|x|zz)es$", verb):
        return verb[:-2]
    return verb[:-1] if verb.endswith("s") and not verb.endswith(("ss", "us", "is")) and len(verb) > 3 else verb


def _listed(parts: list[str]) -> str:
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] if parts else ""


def _framed(text: str, rng: random.Random) -> str:
    asked = rng.choice(_FRAMES).format(text)
    return asked[:1].upper() + asked[1:]
