"""Cues and codebooks as bytes."""

from __future__ import annotations

import numpy as np

from lifelong.memory.cues.blobs import pack, unpack
from lifelong.memory.cues.codes import Codebook, fit_codebook, order_by_parent
from lifelong.memory.cues.cue_memory import _rounded_mean
from lifelong.memory.cues.model import rounded


def samples(classes: int, each: int, d: int = 32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    spread = 0.4 / np.arange(1, d + 1)
    vectors = draw.normal(size=(classes, d))[labels] / d**0.5 + spread * draw.normal(size=(len(labels), d))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def test_blobs_and_codebooks_come_back_bit_for_bit() -> None:
    vectors, labels = samples(3, 9)
    groups = [(_rounded_mean(rows), rows) for rows in (vectors[labels == c].astype(float) for c in range(3))]
    book = fit_codebook(np.cov(vectors.T), groups, 8, 0.1)
    same = Codebook.from_bytes(book.to_bytes())
    assert np.array_equal(same.directions, book.directions)
    assert np.array_equal(same.deviations, book.deviations)
    assert np.array_equal(same.weights, book.weights)
    classes = [
        (7 + c, order_by_parent(m, rounded(book.coordinates(rows[: 9 - 4 * c], m)), book.deviations)) for c, (m, rows) in enumerate(groups)
    ]
    for (_, one), other in zip(classes, unpack(pack(classes, 0, book), book), strict=True):
        for name in ("mean", "codes", "parents", "levels"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
