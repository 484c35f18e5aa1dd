from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lifelong.memory import CueMemory


def samples(classes: int, each: int, d: int = 32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    spread = 0.4 / np.arange(1, d + 1)
    vectors = draw.normal(size=(classes, d))[labels] / d**0.5 + spread * draw.normal(size=(len(labels), d))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def test_recall_is_close_and_the_file_is_the_memory(tmp_path: Path) -> None:
    vectors, labels = samples(6, 20)
    memory = CueMemory(step=0.08, directions=16, kept=1.0)
    for part in (labels < 3, labels >= 3):
        memory.remember(vectors[part], labels[part])
    rows, numbers = memory.recall()
    assert np.array_equal(np.bincount(numbers), [20] * 6)
    for label in range(6):
        near = ((rows[numbers == label][:, None] - vectors[labels == label]) ** 2).sum(-1).min(1)
        assert near.mean() < 32 * 0.08**2 / 6
    assert memory.bytes < 6 * 20 * 32 * 4 / 4
    memory.save(tmp_path / "cues.npz")
    assert [file.name for file in tmp_path.iterdir()] == ["cues.npz"]
    loaded = CueMemory.load(tmp_path / "cues.npz")
    assert np.array_equal(loaded.recall()[0], rows)
    assert loaded.bytes == memory.bytes


def test_a_drifting_stream_makes_versions_that_leave_old_cues_alone() -> None:
    vectors, labels = samples(40, 30)
    memory = CueMemory(step=0.02, directions=8, kept=1.0)
    memory.remember(vectors[labels < 4], labels[labels < 4])
    before = memory.recall()[0]
    drifted = vectors[:, ::-1]
    for start in range(4, 40, 4):
        part = (labels >= start) & (labels < start + 4)
        memory.remember(drifted[part], labels[part])
    assert memory.versions > 1
    assert np.array_equal(memory.recall()[0][: len(before)], before)


def test_a_class_met_again_grows_and_the_order_of_a_batch_does_not_matter() -> None:
    vectors, labels = samples(2, 12)
    order = np.random.default_rng(1).permutation(len(labels))
    first, second = CueMemory(kept=1.0), CueMemory(kept=1.0)
    first.remember(vectors, labels)
    second.remember(vectors[order], labels[order])
    assert np.allclose(np.sort(first.recall()[0], axis=0), np.sort(second.recall()[0], axis=0), atol=0.02)
    again = samples(2, 3, seed=5)
    first.remember(*again)
    assert np.bincount(first.recall()[1]).tolist() == [15, 15]


def test_forgetting_takes_the_cue_and_leaves_the_other_codes() -> None:
    vectors, labels = samples(3, 10)
    memory = CueMemory(step=0.03, kept=1.0)
    memory.remember(vectors, labels)
    codes = {label: {tuple(code) for code in one.codes} for label, (_, one) in memory._codes().items()}
    assert memory.forget(vectors[:2], labels[:2]) == 2
    assert memory.forget(vectors[:2], labels[:2]) == 0
    left = {label: {tuple(code) for code in one.codes} for label, (_, one) in memory._codes().items()}
    assert left[0] < codes[0]
    assert (left[1], left[2]) == (codes[1], codes[2])
    memory.forget(vectors[labels == 1], labels[labels == 1])
    assert memory.labels.tolist() == [0, 2]
    with pytest.raises(ValueError, match="never remembered"):
        memory.forget(vectors[:1], np.array([1]))
    with pytest.raises(ValueError, match="never remembered"):
        memory.forget_class(1)


def test_a_forgotten_class_leaves_no_trace_in_the_state() -> None:
    vectors, labels = samples(40, 30)
    drifted = np.where((labels >= 4)[:, None], vectors[:, ::-1], vectors)
    never, forgetful = CueMemory(step=0.02, directions=8, kept=1.0), CueMemory(step=0.02, directions=8, kept=1.0)
    for memory in (never, forgetful):
        memory.remember(vectors[labels < 4], labels[labels < 4])
    for start in range(4, 40, 4):
        part = (labels >= start) & (labels < start + 4)
        forgetful.remember(drifted[part], labels[part])
    assert forgetful.versions > 1
    assert not forgetful.forget_class(4)  # codebooks fitted while it was there are still used by others
    assert [forgetful.forget_class(label) for label in range(5, 40)][-1]
    _assert_equal(forgetful.state(), never.state())
    assert forgetful.bytes == never.bytes
    # What comes next is written as if the class had never been there.
    for memory in (never, forgetful):
        memory.remember(drifted[labels == 7], labels[labels == 7])
    _assert_equal(forgetful.state(), never.state())


def test_a_codebook_that_no_class_uses_goes_and_the_others_cues_stay() -> None:
    vectors, labels = samples(40, 30)
    memory = CueMemory(step=0.02, directions=8, kept=1.0)
    memory.remember(vectors[labels < 4], labels[labels < 4])
    for start in range(4, 40, 4):
        part = (labels >= start) & (labels < start + 4)
        memory.remember(vectors[part][:, ::-1], labels[part])
    rows, numbers = memory.recall()
    versions = memory.versions
    old = [label for label, (version, _) in memory._codes().items() if version == 0]
    assert 4 <= len(old) < 40
    for label in old:
        drifted = vectors[labels == label] if label < 4 else vectors[labels == label][:, ::-1]
        memory.forget(drifted, labels[labels == label])
    assert memory.versions == versions - 1
    left = ~np.isin(numbers, old)
    assert np.array_equal(memory.recall()[0], rows[left])
    again = CueMemory()
    again.restore(memory.state())
    assert np.array_equal(again.recall()[0], rows[left])


def test_a_single_class_among_many_is_learned_without_looking_at_the_others() -> None:
    vectors, labels = samples(30, 10)
    memory = CueMemory(step=0.03, kept=1.0)
    memory.remember(vectors[labels < 29], labels[labels < 29])
    memory._better = None  # type: ignore[assignment,method-assign]  # would fail if it were asked
    memory.remember(vectors[labels == 29][:2], labels[labels == 29][:2])
    assert len(memory.labels) == 30


def _assert_equal(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert np.array_equal(array, right[name]), name


def test_bad_input_is_named() -> None:
    vectors, labels = samples(2, 4)
    memory = CueMemory()
    memory.remember(vectors, labels)
    spoiled = vectors.copy()
    spoiled[0, 0] = np.nan
    for rows, numbers, words in ((vectors[:, :-4], labels, "columns"), (vectors, labels[1:], "one label"), (spoiled, labels, "NaN")):
        with pytest.raises(ValueError, match=words):
            memory.remember(rows, numbers)
    with pytest.raises(ValueError, match="must be above"):
        CueMemory(step=0)
    assert CueMemory().recall()[0].shape[0] == 0
