"""Values that a JSON Schema allows, drawn for practice: of its own examples first, then of what a name or a description suggests.

The subset is what tools use: types, enum, const, default, examples, formats, bounds, items, properties, anyOf, oneOf, allOf and local
references (JSON Schema 2020-12, https://json-schema.org/draft/2020-12/json-schema-validation). A schema that cannot be satisfied within
`DEPTH` levels, such as one that needs itself, has no value.
"""

from __future__ import annotations

import datetime
import random
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .words import any_word, like, word_for

DEPTH = 6
"""Levels of objects, arrays and references."""
MOST_PARTS = 2000
"""Parts of a schema that are drawn from for one value: alternatives that need each other multiply."""
OPTIONAL_SHARE = 0.5
"""Share of optional properties that are given."""
LARGEST = 10**12
"""Size of a bound beyond which nobody means it."""
SEEN_SHARE = 0.1
"""Share of free texts that are names of the real request: they may be of another kind than the parameter."""
_TRIES = 20

# Repeated groups, or many repetitions, may be tried in more ways than there is time for.
_SLOW = re.compile(r"\)[*+{]|(?:[*+{].*){4}|.{100}", re.DOTALL)
_EXAMPLE = re.compile(r"(?:e\.g\.,?|for example,?|for instance,?|such as|example:|examples:|including) ([^.;()]+)", re.IGNORECASE)
_QUOTED = re.compile(r"'([^'\n]{1,40})'|\"([^\"\n]{1,40})\"|`([^`\n]{1,40})`")


_FORMS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("enum", "anyOf", "oneOf", "allOf"), lambda value: isinstance(value, list)),
    **dict.fromkeys(("properties", "$defs", "definitions"), lambda value: isinstance(value, Mapping)),
    **dict.fromkeys(("pattern", "format", "$ref"), lambda value: isinstance(value, str)),
    **dict.fromkeys(("minItems", "maxItems", "minLength", "maxLength"), lambda value: isinstance(value, int) and 0 <= value <= LARGEST),
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST,
    ),
    "items": lambda value: isinstance(value, Mapping | bool),
    "required": lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    "type": lambda value: isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value)),
}
"""What each keyword's value must be; a schema that says otherwise is refused by every engine too."""


class NoValue(ValueError):
    """A schema that no value was found for."""


@dataclass(frozen=True, kw_only=True)
class _Source:
    """What every part of a schema is drawn from."""

    rng: random.Random
    """Source of chance."""
    seen: tuple[str, ...]
    """Texts of a real request."""
    root: Mapping[str, Any]
    """The whole schema, for references."""
    parts: Iterator[int] = field(default_factory=lambda: iter(range(MOST_PARTS)))
    """Counts the parts of a schema that are drawn from."""


def draw_value(schema: Any, rng: random.Random, *, name: str = "", seen: Sequence[str] = (), root: Mapping[str, Any] | None = None) -> Any:
    """A value that the schema allows. `name` is the parameter's, `seen` are texts of a real request, `root` holds the definitions.

    Raises `NoValue`.
    """
    whole = root if root is not None else schema if isinstance(schema, Mapping) else {}
    return _draw(schema, _Source(rng=rng, seen=tuple(seen), root=whole), name, DEPTH)


def examples_of(schema: Mapping[str, Any]) -> list[str]:
    """The texts that a schema itself names as examples, its default among them."""
    given = schema.get("examples")
    own = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    own += examples_in(str(schema.get("description") or ""))
    return list(dict.fromkeys([*own, *([schema["default"]] if isinstance(schema.get("default"), str) and schema["default"] else [])]))


def is_known(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether a schema, its description or the parameter's name tells what kind of text is wanted."""
    return bool(examples_of(schema)) or _suggested(name, str(schema.get("description") or ""), random.Random(0)) is not None


def examples_in(description: str) -> list[str]:
    """What a description names as examples.

    >>> examples_in("The city, e.g. San Francisco, CA or Paris.")
    ['San Francisco, CA', 'Paris']
    >>> examples_in("Unit of temperature: 'celsius' or 'fahrenheit'")
    ['celsius', 'fahrenheit']
    """
    quoted = [next(filter(None, match.groups())) for match in _QUOTED.finditer(description)]
    if quoted:
        return list(dict.fromkeys(quoted))
    named = _EXAMPLE.finditer(" ".join(description.split()))
    found = [part for match in named for part in re.split(r" or | and ", match[1])]
    return [part.strip(" ,:") for part in found if 0 < len(part.strip(" ,:")) <= 40]


def _suggested(name: str, description: str, rng: random.Random) -> str | None:
    # The name is surer than the description, and its last word than the others.
    found = word_for([*reversed(_split(name))], rng)
    return found if found is not None else word_for(_split(description), rng)


def _split(name: str) -> list[str]:
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())


def _draw(schema: Any, source: _Source, name: str, depth: int) -> Any:
    if schema is True or schema == {}:
        return _suggested(name, "", source.rng) or any_word(source.rng)
    if not isinstance(schema, Mapping) or depth < 0:
        raise NoValue(f"{name or 'the schema'} is no schema, or needs more than {DEPTH} levels")
    if next(source.parts, None) is None:
        raise NoValue(f"the schema needs more than {MOST_PARTS} parts")
    for keyword, fits in _FORMS.items():
        if keyword in schema and not fits(schema[keyword]):
            raise NoValue(f"{keyword} of {name or 'the schema'} cannot be {str(schema[keyword])[:40]!r}")
    if "$ref" in schema:
        return _draw(_target(source.root, schema["$ref"]), source, name, depth - 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return source.rng.choice(schema["enum"])
    for joined in ("anyOf", "oneOf"):
        if schema.get(joined):
            return _first_of(source.rng.sample(schema[joined], len(schema[joined])), schema, source, name, depth)
    if schema.get("allOf"):
        return _draw(_merged(schema, source.root), source, name, depth - 1)
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kind = kinds if isinstance(kinds, str) else next((one for one in kinds if one != "null"), "null")
    draws: dict[str, Callable[[], Any]] = {
        "string": lambda: _string(schema, source.rng, name, source.seen),
        "integer": lambda: _number(schema, source.rng, whole=True),
        "number": lambda: _number(schema, source.rng, whole=False),
        "boolean": lambda: source.rng.random() < 0.5,
        "null": lambda: None,
        "array": lambda: _array(schema, source, name, depth),
        "object": lambda: _object(schema, source, depth),
    }
    if kind not in draws:
        raise NoValue(f"{name or 'the schema'} is of the unknown type {str(kinds)[:40]!r}")
    return draws[kind]()


def _first_of(options: Sequence[Any], schema: Mapping[str, Any], source: _Source, name: str, depth: int) -> Any:
    about = {key: schema[key] for key in ("description", "title") if key in schema}
    for option in sorted(options, key=lambda one: isinstance(one, Mapping) and one.get("type") == "null"):
        try:
            return _draw({**about, **option} if isinstance(option, Mapping) else option, source, name, depth - 1)
        except NoValue:
            continue
    raise NoValue(f"none of the alternatives of {name or 'the schema'} has a value")


def _merged(schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """A schema and all that its `allOf` adds, as one."""
    merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        part = _target(root, part["$ref"]) if isinstance(part, Mapping) and "$ref" in part else part
        if not isinstance(part, Mapping):
            raise NoValue("allOf holds what is no schema")
        for key, value in part.items():
            if key == "properties" and isinstance(value, Mapping):
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "required" and isinstance(value, list):
                merged[key] = [*merged.get(key, []), *value]
            else:
                merged.setdefault(key, value)
    return merged


def _target(root: Mapping[str, Any], reference: Any) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise NoValue(f"the reference {str(reference)[:80]!r} leads out of the schema")
    found: Any = root
    for key in reference.removeprefix("#").strip("/").split("/") if reference.strip("#/") else []:
        found = found.get(key.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    if found is None:
        raise NoValue(f"nothing stands at the reference {reference[:80]!r}")
    return found


def _string(schema: Mapping[str, Any], rng: random.Random, name: str, seen: Sequence[str]) -> str:
    if (made := of_format(str(schema.get("format") or ""), rng)) is not None:
        return made
    if re.search(r"yyyy-mm-dd", str(schema.get("description") or ""), re.IGNORECASE):
        return _date(rng).isoformat()
    if _SLOW.search(schema.get("pattern", "")):
        raise NoValue(f"the pattern of {name or 'the schema'} may take for ever to try")
    own = examples_of(schema)
    for _ in range(_TRIES):
        # Examples of the schema's own are all that it allows where there are several; one alone would be learned by heart.
        share = 1.0 if len(own) > 2 and not any(like(one, rng) != one for one in own) else 0.4
        if own and rng.random() < share:
            text = like(rng.choice(own), rng)
        elif seen and rng.random() < SEEN_SHARE:
            text = rng.choice(seen)
        else:
            text = _suggested(name, str(schema.get("description") or ""), rng) or any_word(rng)
        if _fits(text, schema):
            return text
    raise NoValue(f"no text was found that {name or 'the schema'} allows")


def _fits(text: str, schema: Mapping[str, Any]) -> bool:
    pattern = schema.get("pattern", "")
    if not schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", LARGEST):
        return False
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


def of_format(format: str, rng: random.Random) -> str | None:
    """A text of a format that JSON Schema names; None for one that is not known here."""
    day, clock = _date(rng).isoformat(), f"{rng.randint(6, 22):02d}:{rng.choice(('00', '15', '30', '45'))}"
    makers: dict[str, Callable[[], str]] = {
        "date": lambda: day,
        "time": lambda: f"{clock}:00Z",
        "date-time": lambda: f"{day}T{clock}:00Z",
        "email": lambda: str(word_for(["email"], rng)),
        "uri": lambda: str(word_for(["url"], rng)),
        "uuid": lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "ipv4": lambda: f"192.0.2.{rng.randint(1, 254)}",
        "hostname": lambda: rng.choice(("example.com", "example.org", "example.net")),
    }
    return makers[format]() if format in makers else None


def _date(rng: random.Random) -> datetime.date:
    return datetime.date(2023, 1, 1) + datetime.timedelta(days=rng.randrange(1095))


def _number(schema: Mapping[str, Any], rng: random.Random, *, whole: bool) -> int | float:
    step = schema.get("multipleOf")
    unit = step if step else 1 if whole else rng.choice((0.1, 0.5, 1))
    low, high = (schema.get(key) for key in ("minimum", "maximum"))
    above, below = (schema.get(key) for key in ("exclusiveMinimum", "exclusiveMaximum"))
    given = [one for one in (low, above) if one is not None]
    least = max(given) if given else None
    given = [one for one in (high, below) if one is not None]
    most = min(given) if given else None
    if least is None:
        least = 1 if most is None or most > 1 else most - 20
    # People ask for small numbers, and now and then for large ones.
    reach = rng.choice((10, 30, 100, 1000)) if most is None else most - least
    for _ in range(_TRIES):
        steps = rng.randint(0, max(0, int(reach // unit)))
        value = -(-least // unit) * unit + steps * unit
        value = int(value) if whole or float(value).is_integer() else round(value, 6)
        inside = value >= least and (most is None or value <= most)
        if inside and value not in (above, below):
            return value
    raise NoValue("no number was found that the schema allows")


def _array(schema: Mapping[str, Any], source: _Source, name: str, depth: int) -> list[Any]:
    least, most = schema.get("minItems", 1), schema.get("maxItems", 3)
    items, found = schema.get("items", {"type": "string"}), list[Any]()
    about = {"description": schema.get("description", "")}
    wanted = source.rng.randint(max(1, least), max(1, least, min(most, least + 2)))
    for _ in range(4 * wanted):
        value = _draw({**about, **items} if isinstance(items, Mapping) else items, source, name, depth - 1)
        if value not in found or (len(found) < least and not schema.get("uniqueItems")):
            found.append(value)
        if len(found) == wanted:
            break
    if not least <= len(found) <= max(most, least):
        raise NoValue(f"too few different items were found for {name or 'the schema'}")
    return found


def _object(schema: Mapping[str, Any], source: _Source, depth: int) -> dict[str, Any]:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if missing := [name for name in required if name not in properties]:
        raise NoValue(f"required names {str(missing[0])[:40]!r}, of which nothing is said")
    found: dict[str, Any] = {}
    for name, inner in properties.items():
        if name in required:
            found[name] = _draw(inner, source, name, depth - 1)
        elif source.rng.random() < OPTIONAL_SHARE:
            try:
                found[name] = _draw(inner, source, name, depth - 1)
            except NoValue:
                continue
    return found
