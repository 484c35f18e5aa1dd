"""`IndexedTurn` and `Lists`: what a store of turns tells of them, and where the words of a question stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...numerics.arrays import Labels, Vector
from .passages import Kind

QUESTION, TIME, NUMBER, ANSWERS = 1, 2, 4, 8
"""Bits of `IndexedTurn.flags`."""


class IndexedTurn(NamedTuple):
    """One indexed passage, without its text. A tuple, since a search makes hundreds."""

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Postings:
    """In which turns a term stands, and how often. Arrays, since a frequent term stands in thousands."""

    turns: Labels
    """Numbers of the turns, each once, ascending, `(n,)`."""
    counts: Labels
    """How often it stands in each, `(n,)`."""

    def __len__(self) -> int:
        return len(self.turns)

    def __contains__(self, number: int) -> bool:
        place = int(self.turns.searchsorted(number))
        return place < len(self.turns) and bool(self.turns[place] == number)

    def newest(self, most: int) -> Postings:
        """Of the newest turns at most so many."""
        return self if len(self) <= most else Postings(turns=self.turns[len(self) - most :], counts=self.counts[len(self) - most :])

    def of(self, numbers: Labels) -> Labels:
        """How often it stands in each of some turns `(k,)`, 0 where it does not.

        >>> Postings(turns=np.array([2, 5]), counts=np.array([1, 3])).of(np.array([5, 4, 9])).tolist()
        [3, 0, 0]
        """
        if not len(self.turns):
            return np.zeros(len(numbers), dtype=np.int64)
        places = np.searchsorted(self.turns, numbers).clip(max=len(self.turns) - 1)
        return np.where(self.turns[places] == numbers, self.counts[places], 0)


@dataclass(frozen=True, kw_only=True)
class Lists:
    """Where the terms of a question stand."""

    terms: tuple[str, ...]
    """The terms, each once."""
    weights: tuple[float, ...]
    """Inverse document frequency of each, among the tenant's turns."""
    postings: tuple[Postings, ...]
    """Of each, where it stands; of a frequent one the newest turns."""
    average_length: float
    """Terms of an average turn of the tenant."""
