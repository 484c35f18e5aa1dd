from __future__ import annotations

import numpy as np

from lifelong.evals.data.texts import OUT_OF_SCOPE, TextData, Texts
from lifelong.evals.suites.perception.adapters import first_of_each, letter_noise, measure, outliers, word_noise

TEXTS = ["please transfer forty dollars from my savings account to my checking account"] * 200


def groups(count: int, seed: int, classes: int = 4) -> Texts:
    """Unit vectors around one axis a class; no class: around an axis of their own."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % classes if classes > 1 else np.full(count, OUT_OF_SCOPE)
    rows = np.eye(8)[labels] + draw.normal(scale=0.3, size=(count, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Texts(texts=("",) * count, labels=labels, vectors=rows.astype(np.float32))


def data() -> TextData:
    return TextData(
        names=tuple("abcd"),
        train=groups(120, 0),
        validation=groups(60, 1),
        test=groups(60, 2),
        outliers_train=groups(5, 3, classes=1),
        outliers_validation=groups(20, 4, classes=1),
        outliers_test=groups(20, 5, classes=1),
        sentences=groups(0, 6),
    )


def test_outliers_lie_between_classes_or_are_the_unknown_texts() -> None:
    made, plain = outliers(data(), seed=0), data()
    between, unknown = np.split(made, 2)
    assert 60 < len(between) < 120
    assert np.allclose(np.linalg.norm(between, axis=1), 1)
    assert {row.tobytes() for row in unknown} == {row.tobytes() for row in plain.outliers_train.vectors}
    assert (between @ np.eye(8)[:4].T).max(1).mean() < (plain.train.vectors @ np.eye(8)[:4].T).max(1).mean() - 0.1


def test_figures_hold_the_frozen_network_each_adapter_and_the_chosen_mixture() -> None:
    plain = data()
    stacked = np.stack([plain.train.vectors, groups(120, 7).vectors, groups(120, 8).vectors], axis=1)
    noisy = {name: (groups(60, seed).vectors, plain.test.labels) for name, seed in (("word_noise", 9), ("letter_noise", 10))}
    sets = {
        "train": (stacked, plain.train.labels),
        "validation": (plain.validation.vectors, plain.validation.labels),
        "validation_word_noise": (groups(60, 11).vectors, plain.validation.labels),
        "clean": (plain.test.vectors, plain.test.labels),
        **noisy,
    }
    figures = measure(plain, sets, 4, seed=0)
    methods = ["frozen", "lifelong_covariate", "lifelong_semantic", "lifelong_both", "lifelong_semantic_taken_away", "lifelong"]
    assert list(dict.fromkeys(method for method, _ in figures)) == methods
    assert figures["frozen", "clean_accuracy"] > 0.8
    assert figures == measure(plain, sets, 4, seed=0)


def test_word_noise_drops_words_and_exchanges_neighbouring_letters() -> None:
    made = [text.split() for text in word_noise(TEXTS, 0)]
    words = TEXTS[0].split()
    assert 0.75 < sum(map(len, made)) / (len(words) * len(made)) < 0.85
    known = {"".join(sorted(word)) for word in words}
    assert {"".join(sorted(word)) for text in made for word in text} == known
    assert any(word not in words for text in made for word in text)


def test_letter_noise_keeps_words_and_changes_a_letter_at_most() -> None:
    words = TEXTS[0].split()
    for text in letter_noise(TEXTS, 0):
        changed = text.split()
        assert len(changed) == len(words)
        assert all(len(old) - len(new) in (0, 1) for old, new in zip(words, changed, strict=True))
    assert len(set(letter_noise(TEXTS, 0))) > 100


def test_noise_repeats_itself_and_never_empties_a_text() -> None:
    assert word_noise(TEXTS, 3) == word_noise(TEXTS, 3) != word_noise(TEXTS, 4)
    assert all(word_noise(["a"] * 50, 0))
    assert all(letter_noise(["a"] * 50, 0))
    assert word_noise(["", " "], 0) == ["", " "]


def test_first_of_each_class() -> None:
    assert first_of_each(np.array([1, 0, 1, 1, 0, 0]), 2).tolist() == [1, 4, 0, 2]
