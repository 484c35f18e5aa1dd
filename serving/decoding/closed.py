"""JSON schemas without arguments that nobody has named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BESIDE = (
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "dependentSchemas",
    "else",
    "if",
    "not",
    "oneOf",
    "patternProperties",
    "then",
    "unevaluatedProperties",
)
"""Keywords that may name further properties of the same object."""


def closed(schema: Any) -> Any:
    """The schema with `additionalProperties: false` on every object that names its properties and says nothing of others.

    To JSON Schema such an object may have any further property (draft 2020-12, section 10.3.2.3), and a small model that is kept to it
    invents them without end. A tool takes the arguments that it names. Where a keyword beside may name further ones, or a schema is put
    together out of parts, all of them stay allowed.

    >>> closed({"type": "object", "properties": {"id": {"type": "integer"}}})
    {'type': 'object', 'properties': {'id': {'type': 'integer'}}, 'additionalProperties': False}
    """
    try:
        return schema if _is_put_together(schema) else _closed(schema)
    except RecursionError:
        return schema  # whoever reads it says that it is nested too deeply


def _is_put_together(schema: Any) -> bool:
    """Whether some object may be described in several places, each of which names a part of its properties."""
    if isinstance(schema, Mapping):
        parts = "allOf" in schema or ("$ref" in schema and "properties" in schema)
        return parts or any(map(_is_put_together, schema.values()))
    return isinstance(schema, list) and any(map(_is_put_together, schema))


def _closed(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    found = dict(schema)
    named = found.get("properties")
    beside = any(keyword in found for keyword in _BESIDE)
    for keyword in ("properties", "$defs", "definitions"):
        if isinstance(found.get(keyword), Mapping):
            found[keyword] = {name: _closed(one) for name, one in found[keyword].items()}
    if "items" in found:
        found["items"] = _closed(found["items"])
    if isinstance(found.get("prefixItems"), list):
        found["prefixItems"] = [_closed(one) for one in found["prefixItems"]]
    if isinstance(found.get("additionalProperties"), Mapping):
        found["additionalProperties"] = _closed(found["additionalProperties"])
    if not named:
        # A choice among objects; with properties beside it, each branch may be only a part of one.
        for keyword in ("anyOf", "oneOf"):
            if isinstance(found.get(keyword), list) and sum(one in found for one in _BESIDE) == 1:
                found[keyword] = [_closed(one) for one in found[keyword]]
    elif isinstance(named, Mapping) and not beside:
        found.setdefault("additionalProperties", False)
    return found
