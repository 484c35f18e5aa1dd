"""What is read out of a stolen memory: all of it from exact vectors, chance from none."""

from __future__ import annotations

import numpy as np

from lifelong.evals.data.texts import Texts
from lifelong.evals.suites.continual.inversion import Attack, recalled
from lifelong.perception import HashedEncoder


def pool(classes: int = 4, each: int = 12) -> Texts:
    draw = np.random.default_rng(0)
    words = [f"{first}{second}" for first in "abcdefgh" for second in "klmnop"]
    labels = np.repeat(np.arange(classes), each)
    texts = tuple(f"class{label} " + " ".join(draw.choice(words, 5)) for label in labels)
    return Texts(texts=texts, labels=labels, vectors=HashedEncoder(64).encode(texts))


def test_exact_vectors_give_every_text_away_and_none_gives_chance() -> None:
    texts = pool()
    kept = np.arange(len(texts)) % 2 == 0
    attack = Attack(texts, kept)
    exact = attack.on(texts.vectors[kept], texts.labels[kept])
    assert (exact["texts_recovered_exactly"], exact["texts_recovered_nearly"], exact["named_texts_that_were_remembered"]) == (1.0, 1.0, 1.0)
    blind = attack.without_memory(np.random.default_rng(1))
    assert 0.2 < blind["texts_recovered_exactly"] < 0.8
    assert exact["words_recovered"] > blind["words_recovered"]


def test_means_give_away_less_than_samples() -> None:
    texts = pool()
    kept = np.arange(len(texts)) % 2 == 0
    attack = Attack(texts, kept)
    found = {}
    for method, memory in recalled(texts.subset(kept), 0, methods=("raw_8_bit", "lifelong_cues_4_kb", "class_means")).items():
        found[method] = attack.on(*memory)["texts_recovered_exactly"]
    assert found["raw_8_bit"] == 1.0
    assert found["class_means"] <= 4 / kept.sum() < found["lifelong_cues_4_kb"]
