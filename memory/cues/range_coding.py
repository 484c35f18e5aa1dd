"""Entropy coding: integers to as many bits as their probabilities ask for, many streams side by side.

Range asymmetric numeral systems (Duda 2013, "Asymmetric numeral systems", https://arxiv.org/abs/1311.2540, section 4): a stream is
one state of 32 bits and the
16-bit words that fell out of it. Only integers are computed with, so a stream reads the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PRECISION = 15
"""Probabilities are multiples of `2 ** -PRECISION`."""
TOTAL = 1 << PRECISION
_LOW = 1 << 16

Integers = NDArray[np.int64]


def encode(starts: Integers, sizes: Integers) -> list[bytes]:
    """One stream a row: symbols `(rows, steps)` given by their shares `[start, start + size)` of `TOTAL`; a share of all costs nothing."""
    rows, steps = starts.shape
    state = np.full(rows, _LOW, dtype=np.uint64)
    words = np.zeros((rows, steps + 2), dtype=np.uint16)
    used = np.zeros(rows, dtype=np.int64)
    first, size = starts.astype(np.uint64), sizes.astype(np.uint64)
    shift, precision = np.uint64(32 - PRECISION), np.uint64(PRECISION)
    # A numeral system is a stack: what is pushed last is popped first, so the symbols are pushed from the last to the first.
    for step in range(steps - 1, -1, -1):
        share = size[:, step]
        # The next push multiplies the state by TOTAL / share: where that would leave 32 bits, the low word is written out first.
        full = np.flatnonzero(state >= share << shift)
        words[full, used[full]] = state[full] & np.uint64(0xFFFF)
        used[full] += 1
        state[full] >>= np.uint64(16)
        quotient = state // share
        state = (quotient << precision) + (state - quotient * share) + first[:, step]
    for half in (state & np.uint64(0xFFFF), state >> np.uint64(16)):
        words[np.arange(rows), used] = half
        used += 1
    # What was written last is read first.
    return [words[row, : used[row]][::-1].astype("<u2").tobytes() for row in range(rows)]


class Decoder:
    """Reads streams side by side, symbol by symbol, in the order in which they were given to `encode`."""

    def __init__(self, streams: Sequence[bytes]) -> None:
        longest = max(len(stream) // 2 for stream in streams) + 1
        self._words = np.zeros((len(streams), longest), dtype=np.uint64)
        for row, stream in enumerate(streams):
            self._words[row, : len(stream) // 2] = np.frombuffer(stream, dtype="<u2")
        self._state = (self._words[:, 0] << np.uint64(16)) | self._words[:, 1]
        self._next = np.full(len(streams), 2)
        self._rows = np.arange(len(streams))

    def read(self, bounds: Integers) -> Integers:
        """The next symbol of each stream, by the bounds `(streams, symbols + 1)` of the symbols' shares, from 0 to `TOTAL`."""
        slot = (self._state & np.uint64(TOTAL - 1)).astype(np.int64)
        symbol = np.asarray((bounds[:, 1:] <= slot[:, None]).sum(1), dtype=np.int64)
        start = bounds[self._rows, symbol]
        size = bounds[self._rows, symbol + 1] - start
        # The inverse of the push, by the same integers; a state that fell below 2^16 takes the word that was written out.
        self._state = size.astype(np.uint64) * (self._state >> np.uint64(PRECISION)) + (slot - start).astype(np.uint64)
        empty = np.flatnonzero(self._state < _LOW)
        self._state[empty] = (self._state[empty] << np.uint64(16)) | self._words[empty, self._next[empty]]
        self._next[empty] += 1
        return symbol
