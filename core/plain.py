"""Dataclasses as plain dictionaries, and those as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import Any
from uuid import uuid4


def plain(value: Any) -> Any:
    """What `dataclasses.asdict` gives, without a copy of every text and number in it: for whoever writes it down at once.

    >>> from fractions import Fraction
    >>> plain(({"half": Fraction(1, 2)},))
    ({'half': Fraction(1, 2)},)
    """
    if hasattr(type(value), "__dataclass_fields__"):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if type(value) in (tuple, list):
        return type(value)(plain(item) for item in value)
    if type(value) is dict:
        return {key: plain(item) for key, item in value.items()}
    return value


def standard_json(value: Any) -> str:
    """JSON that every reader takes, also where a number is infinite (it stays so) or is none (it becomes null).

    Python writes `Infinity`, which is no JSON: a database that looks into such a text refuses it.

    >>> standard_json({"chance": [float("-inf"), float("nan"), 0.5]})
    '{"chance": [-2e308, null, 0.5]}'
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        # Rare, so that what is usual is written without looking at every number. A mark that no text holds stands for infinity meanwhile.
        mark = uuid4().hex
        written = json.dumps(_marked(value, mark), ensure_ascii=False, allow_nan=False)
        return written.replace(f'"-{mark}"', "-2e308").replace(f'"{mark}"', "2e308")


def valid_json(text: str) -> str:
    """A text that Python wrote as JSON, with its infinite numbers written as other readers take them; any other text as it is."""
    if "Infinity" not in text and "NaN" not in text:
        return text
    try:
        return standard_json(json.loads(text))
    except ValueError:
        return text


def _marked(value: Any, mark: str) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else mark if value > 0 else f"-{mark}"
    if isinstance(value, list | tuple):
        return [_marked(item, mark) for item in value]
    if isinstance(value, dict):
        return {key: _marked(item, mark) for key, item in value.items()}
    return value
