"""Deflated texts as a memory: lossless, counted, encoded again."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from lifelong.evals.data.class_stream import ClassStream, kept_bytes, run_stream
from lifelong.evals.data.seeded import mean_of
from lifelong.evals.data.texts import Texts
from lifelong.evals.suites.continual.text_memory import KnownTexts, TextLogisticHead, TextMemory


def made(classes: int, each: int, seed: int = 0) -> Texts:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    vectors = np.eye(16)[labels] + 0.1 * draw.normal(size=(len(labels), 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = tuple(f"seed {seed}, text {place} of class {label}, \0 and ü" for place, label in enumerate(labels))
    return Texts(texts=texts, labels=labels, vectors=vectors.astype(np.float32))


def test_every_text_comes_back_in_any_order_of_learning() -> None:
    texts = made(3, 8)
    memory = TextMemory(KnownTexts(texts))
    for part in (np.arange(0, 24, 2), np.arange(1, 24, 2)):
        memory.remember_texts(texts.subset(part))
    assert sorted(memory.texts_of(1)) == sorted(texts.texts[8:16])
    vectors, labels = memory.recall()
    assert np.bincount(labels).tolist() == [8, 8, 8]
    assert {tuple(row) for row in vectors} == {tuple(row) for row in texts.vectors}
    assert memory.bytes == sum(len(blob) + 8 for blob in memory._classes.values())
    assert all(zlib.decompress(blob) for blob in memory._classes.values())


def test_no_more_texts_are_kept_than_were_asked_for() -> None:
    texts = made(2, 9)
    memory = TextMemory(KnownTexts(texts), per_class=4)
    memory.remember_texts(texts)
    assert [len(memory.texts_of(label)) for label in (0, 1)] == [4, 4]
    with pytest.raises(TypeError, match="remember_texts"):
        memory.remember(texts.vectors, texts.labels)


def test_a_stream_hands_over_texts_and_counts_what_is_kept() -> None:
    train, test = made(4, 10), made(4, 5, seed=1)
    stream = ClassStream(groups=(np.arange(2), np.arange(2, 4)), train=train, test=test)
    head = TextLogisticHead(KnownTexts(train))
    figures = run_stream(head, stream, every_step=False)
    assert mean_of(figures["last_accuracy"]) == 1.0
    assert kept_bytes(head) == head.memory.bytes == 4 * figures["bytes_per_class"]
    assert figures["bytes_per_sample"] == pytest.approx(head.memory.bytes / 40)
