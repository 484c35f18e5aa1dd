from __future__ import annotations

import numpy as np
import pytest

from lifelong.learners import CueHead


def groups(classes: int, each: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    vectors = np.eye(16)[labels] + 0.1 * draw.normal(size=(len(labels), 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


@pytest.mark.slow
def test_a_forgotten_class_is_no_answer_and_leaves_the_head_as_if_it_had_never_been() -> None:
    vectors, labels = groups(6, 12)
    head, never = CueHead(hidden=16, epochs=1), CueHead(hidden=16, epochs=1)
    for one in (head, never):
        one.learn(vectors[labels < 4], labels[labels < 4])
    assert not head.fitted
    head.learn(vectors[labels == 5], labels[labels == 5])
    assert 5 in head.predict(vectors)
    assert head.fitted
    head.forget_class(5)
    assert not head.fitted
    assert head.labels.tolist() == [0, 1, 2, 3]
    assert np.array_equal(head.logits(vectors), never.logits(vectors))
    with pytest.raises(ValueError, match="never remembered"):
        head.forget_class(5)


@pytest.mark.slow
def test_of_too_many_samples_some_are_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifelong.learners.experimental.heads.cue_head.MOST_SOLVED", 20)
    vectors, labels = groups(4, 12)
    head = CueHead(hidden=16, epochs=1)
    head.learn(vectors, labels)
    assert np.mean(head.predict(groups(4, 12, seed=1)[0]) == labels) > 0.9
