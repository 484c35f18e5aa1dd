"""Heads of other packages beside ours."""

from __future__ import annotations

import numpy as np

from lifelong.evals.data.class_stream import ClassStream, run_stream
from lifelong.evals.data.seeded import mean_of
from lifelong.evals.data.texts import Texts
from lifelong.evals.suites.continual.peer_libraries import PeerHead, RiverHead


def made(classes: int, each: int, seed: int = 0, d: int = 16) -> Texts:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    vectors = np.eye(d)[labels] + 0.1 * draw.normal(size=(len(labels), d))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Texts(texts=tuple(map(str, range(len(labels)))), labels=labels, vectors=vectors.astype(np.float32))


def test_another_packages_head_runs_on_the_stream() -> None:
    class Nearest:
        """As river's classifiers."""

        def __init__(self) -> None:
            self.seen: list[tuple[np.ndarray, int]] = []

        def learn_one(self, row: dict[int, float], label: int) -> None:
            self.seen.append((np.array(list(row.values())), label))

        def predict_one(self, row: dict[int, float]) -> int:
            asked = np.array(list(row.values()))
            return min(self.seen, key=lambda one: float(((one[0] - asked) ** 2).sum()))[1]

    head: PeerHead = RiverHead(Nearest())
    train, test = made(4, 6), made(4, 3, seed=1)
    stream = ClassStream(groups=(np.arange(2), np.arange(2, 4)), train=train, test=test)
    assert mean_of(run_stream(head, stream, every_step=False)["last_accuracy"]) == 1.0
    assert head.labels.tolist() == [0, 1, 2, 3]
