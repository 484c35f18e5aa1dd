"""`IndexedTurn` and `Lists`: what a store of turns tells of them, and where the words of a question stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...numerics.arrays import Vector
from .passages import Kind

QUESTION, TIME, NUMBER, ANSWERS = 1, 2, 4, 8
"""Bits of `IndexedTurn.flags`."""


@dataclass(frozen=True, kw_only=True)
class IndexedTurn:
    """One indexed passage, without its text."""

    number: int
    """Its row."""
    session: str
    """The conversation."""
    position: int
    """Place in the conversation."""
    speaker: str
    """Who said it."""
    kind: Kind
    """What kind of saying it is."""
    created: float
    """Seconds since the epoch."""
    length: int
    """Terms."""
    flags: int
    """Whether it asks, tells a time, tells a number, is indexed with the question before it."""
    vector: Vector
    """Its embedding `(d,)`."""


@dataclass(frozen=True, kw_only=True)
class Lists:
    """Where the terms of a question stand."""

    terms: tuple[str, ...]
    """The terms, each once."""
    weights: tuple[float, ...]
    """Inverse document frequency of each, among the tenant's turns."""
    counts: tuple[Mapping[int, int], ...]
    """Of each, how often it stands in which turn; of a frequent one the newest."""
    average_length: float
    """Terms of an average turn of the tenant."""
