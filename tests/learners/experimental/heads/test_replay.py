"""What the replay head keeps."""

from __future__ import annotations

import numpy as np

from lifelong.learners import ReplayHead


def groups(classes: int, each: int, seed: int = 0, spread: float = 0.15) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    vectors = np.eye(16)[labels] + spread * draw.normal(size=(len(labels), 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def test_what_is_replayed_is_what_was_asked_for() -> None:
    vectors, labels = groups(4, 20)
    for per_class, kept in ((3, [3, 3, 3, 3]), (None, [20] * 4)):
        head = ReplayHead(per_class=per_class, epochs=1)
        for low in (0, 2):
            part = (labels >= low) & (labels < low + 2)
            head.learn(vectors[part], labels[part])
        assert np.bincount(head.state()["kept_labels"]).tolist() == kept
    naive = ReplayHead(per_class=0, epochs=1)
    naive.learn(vectors, labels)
    assert set(naive.state()) == {"labels", "weights", "bias"}
