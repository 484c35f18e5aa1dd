"""Range coding: every symbol comes back, at the cost of its entropy."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.memory.cues.range_coding import TOTAL, Decoder, encode


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**16), rows=st.integers(1, 5), steps=st.integers(1, 60), symbols=st.integers(1, 9))
def test_every_symbol_comes_back(seed: int, rows: int, steps: int, symbols: int) -> None:
    draw = np.random.default_rng(seed)
    inner = np.sort(draw.choice(np.arange(1, TOTAL), size=symbols - 1, replace=False))
    ends = np.concatenate([[0], inner, [TOTAL]])
    data = draw.integers(0, symbols, (rows, steps))
    decoder = Decoder(encode(ends[data], np.diff(ends)[data]))
    assert np.array_equal(np.stack([decoder.read(np.tile(ends, (rows, 1))) for _ in range(steps)], axis=1), data)


def test_streams_are_as_short_as_the_entropy_asks() -> None:
    # 8 symbols of probability 1/2, 1/4, ..., drawn as often as that: entropy about 2 bits a symbol.
    ends = np.array([0, *np.cumsum([TOTAL >> k for k in (1, 2, 3, 4, 5, 6, 7, 7)])])
    data = np.random.default_rng(0).choice(8, size=(1, 8000), p=np.diff(ends) / TOTAL)
    ideal = -np.log2(np.diff(ends)[data] / TOTAL).sum() / 8
    assert ideal <= len(encode(ends[data], np.diff(ends)[data])[0]) <= ideal + 8
