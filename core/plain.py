"""Dataclasses as plain dictionaries."""

from __future__ import annotations

from dataclasses import fields
from typing import Any


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
