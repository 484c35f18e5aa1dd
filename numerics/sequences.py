"""Comparing sequences: the tokens of a text, where two sequences part, and how alike they are."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

T = TypeVar("T", bound=Hashable)

_TOKEN = re.compile(r"[A-Za-z_]+|\d+|[^\sA-Za-z_\d]")


def tokens(text: str) -> list[str]:
    """Words, numbers and signs of an action, in order.

    >>> tokens("SELECT a FROM b LIMIT 5;")
    ['SELECT', 'a', 'FROM', 'b', 'LIMIT', '5', ';']
    """
    return _TOKEN.findall(text)


def first_divergence(failed: Sequence[T], succeeded: Sequence[T]) -> int | None:
    """Position of the first token in which two sequences differ; None if one is the other.

    >>> first_divergence(["a", "b", "c"], ["a", "x"])
    1
    """
    if list(failed) == list(succeeded):
        return None
    pairs = zip(failed, succeeded, strict=False)
    return next((place for place, (left, right) in enumerate(pairs) if left != right), min(len(failed), len(succeeded)))


def similarity(left: Sequence[T], right: Sequence[T]) -> float:
    """Twice the tokens in matching blocks over all tokens of both, in [0, 1] (Ratcliff and Metzener 1988); 1 for two empty ones.

    >>> similarity(["a", "b", "c", "d"], ["a", "b", "x", "d"])
    0.75
    """
    return SequenceMatcher(None, left, right, autojunk=False).ratio()
