"""Arrays by reference, within a bound."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.core import NothingFound
from lifelong.envs.payloads import ArrayPayloads


def test_an_array_comes_back_as_it_was_put_and_cannot_be_changed() -> None:
    payloads, array = ArrayPayloads(), np.arange(6, dtype=np.uint8).reshape(2, 3)
    reference = payloads.put(array[:, ::-1])
    array[:] = 0
    held = payloads.get(reference)
    assert held.tolist() == [[2, 1, 0], [5, 4, 3]]
    assert (reference.shape, reference.dtype) == ((2, 3), "uint8")
    with pytest.raises(ValueError, match="read-only"):
        held[0, 0] = 9


def test_the_same_array_is_held_once_and_another_type_or_shape_is_another() -> None:
    payloads = ArrayPayloads()
    one = payloads.put(np.zeros(4, np.int32))
    assert payloads.put(np.zeros(4, np.int32)) == one
    assert payloads.bytes_held == 16
    others = {payloads.put(array).digest for array in (np.zeros((2, 2), np.int32), np.zeros(4, np.float32), np.zeros(16, np.uint8))}
    assert len(others | {one.digest}) == 4


def test_the_bound_holds_and_what_went_is_named() -> None:
    payloads = ArrayPayloads(max_bytes=8)
    first, second = (payloads.put(np.full(4, value, np.uint8)) for value in (1, 2))
    payloads.get(first)
    payloads.put(np.full(4, 3, np.uint8))
    assert payloads.bytes_held == 8
    assert payloads.get(first).tolist() == [1, 1, 1, 1]
    with pytest.raises(NothingFound, match=f"no array {second.digest[:12]} is held"):
        payloads.get(second)


def test_what_cannot_be_kept_is_refused() -> None:
    payloads = ArrayPayloads(max_bytes=8)
    with pytest.raises(ValueError, match="an array of 9 bytes cannot be kept; at most 8 bytes"):
        payloads.put(np.zeros(9, np.uint8))
    with pytest.raises(ValueError, match="an array of Python objects cannot be kept"):
        payloads.put(np.array([object()]))
