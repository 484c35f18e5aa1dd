"""Known and unknown texts as vectors around the axes."""

from __future__ import annotations

import numpy as np

from lifelong.evals.data.texts import OUT_OF_SCOPE, Texts

CLASSES, EACH = 8, 12


def made(count: int, unknown: bool, seed: int) -> Texts:
    draw = np.random.default_rng(seed)
    labels = np.full(count, OUT_OF_SCOPE) if unknown else np.arange(count) % CLASSES
    centres = np.eye(16)[[8 + row % 8 for row in range(count)]] if unknown else np.eye(16)[labels]
    vectors = centres + 0.1 * draw.normal(size=(count, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Texts(texts=tuple(f"{seed} {row} word{labels[row]}" for row in range(count)), labels=labels, vectors=vectors.astype(np.float32))
