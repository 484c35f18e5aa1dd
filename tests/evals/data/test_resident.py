"""What an object holds in memory."""

from __future__ import annotations

from functools import partial

import numpy as np

from lifelong.evals.data.resident import resident_bytes


class Holder:
    def __init__(self, **values: object) -> None:
        self.__dict__.update(values)


class Encoder:
    def __init__(self) -> None:
        self.weights = np.zeros(1000)

    def encode(self, texts: list[str]) -> np.ndarray:
        return self.weights


def test_arrays_are_counted_once_wherever_they_are_reached() -> None:
    rows = np.zeros((10, 4), dtype=np.float32)
    held = Holder(rows=rows, again=[rows, {"view": rows[:3]}], member=partial(np.dot, rows), text="four")
    assert resident_bytes(held) == rows.nbytes + 4


def test_what_a_function_holds_counts_and_an_encoder_does_not() -> None:
    weights = np.zeros(8)

    def answer() -> np.ndarray:
        return weights

    assert resident_bytes(Holder(answer=answer, encoder=Encoder())) == weights.nbytes
