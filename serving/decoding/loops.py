"""Replies that find no end: what repeats itself, or says nothing new any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

LOOP = 256
"""Tokens that only repeat what stands before them, from which on a reply whose length nobody limited is given up."""
PERIOD = LOOP // 3
"""Most tokens of what is repeated: it stands there three times."""
NOTHING_NEW = 1024
"""Tokens without anything new from which on such a reply is given up, whatever their order: an endless list of the same few values."""
SEQUENCE = 4
"""Tokens in a row that are something new where they did not stand in the reply before."""


def repeats(tokens: Sequence[object], length: int = LOOP, period: int = PERIOD) -> bool:
    """Whether the last `length` tokens are `period` tokens or fewer, over and over.

    >>> repeats([9, 1, 2, 1, 2, 1], length=5), repeats([9, 1, 2, 1, 2, 1], length=6), repeats([1, 2, 3, 1, 2, 3], length=6, period=2)
    (True, False, False)
    """
    tail = list(tokens[-length:])
    return len(tail) == length and any(tail[shift:] == tail[:-shift] for shift in range(1, min(period, length // 2) + 1))


def number_tokens(vocabulary: Mapping[str, int]) -> frozenset[int]:
    """Tokens that are digits alone, or digits after a blank as byte-level and sentence-piece tokenizers write it.

    >>> sorted(number_tokens({"7": 1, "Ġ12": 2, "▁3": 3, "a1": 4, "Ġ": 5}))
    [1, 2, 3]
    """
    return frozenset(token for text, token in vocabulary.items() if text.lstrip("Ġ▁ ").isdecimal())


class Novelty:
    """How long ago a reply said something new, token by token."""

    def __init__(self, alike: Collection[int] = ()) -> None:
        """`alike` are tokens of which one is as good as the other: digits, where another number is nothing new."""
        self._alike = alike
        self._seen: set[tuple[int, ...]] = set()
        self._read = self._stale = 0

    def stale(self, tokens: Sequence[int]) -> int:
        """Tokens at the end of a reply that hold no new sequence; `tokens` is the whole reply, which has only grown since the last call.

        >>> Novelty().stale([1, 2, 1, 2, 1, 2, 1, 2])
        3
        """
        for place in range(self._read, len(tokens)):
            last = tokens[max(0, place + 1 - SEQUENCE) : place + 1]
            sequence = tuple(-1 if token in self._alike else token for token in last)
            self._stale = self._stale + 1 if sequence in self._seen else 0
            self._seen.add(sequence)
        self._read = len(tokens)
        return self._stale
