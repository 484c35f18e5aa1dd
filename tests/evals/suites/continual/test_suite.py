"""Memories beside the cues, what is drawn of them, and other packages behind the same verbs."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.evals.data.class_stream import ClassStream, kept_bytes, run_stream
from lifelong.evals.data.seeded import mean_of
from lifelong.evals.data.texts import Texts
from lifelong.evals.suites.continual.sampled_memories import (
    GaussianMemory,
    QuantisedMemory,
    RawMemory,
    SampledMemoryHead,
)


def made(classes: int, each: int, seed: int = 0, d: int = 16) -> Texts:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    vectors = np.eye(d)[labels] + 0.1 * draw.normal(size=(len(labels), d))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Texts(texts=tuple(map(str, range(len(labels)))), labels=labels, vectors=vectors.astype(np.float32))


@pytest.mark.slow
def test_all_memories_are_slept_on() -> None:
    train, test = made(8, 12), made(8, 5, seed=1)
    stream = ClassStream(groups=(np.arange(4), np.arange(4, 8)), train=train, test=test)
    for memory in (RawMemory(per_class=2), GaussianMemory(shared=4, own=1), QuantisedMemory(code_bytes=4)):
        head = SampledMemoryHead(memory)
        assert mean_of(run_stream(head, stream, every_step=False)["last_accuracy"]) > 0.8
        assert kept_bytes(head) == memory.bytes
