"""What a stolen memory reveals: texts and words that an attacker reads out of what each memory keeps.

The attacker has the memory with its decoder, the encoder, and a pool of candidate texts: half of the training texts of every class were
remembered, the other half was not, and the pool holds both. Each vector that the memory recalls is matched with the nearest candidate.
Without candidates, words are read from vectors by a linear decoder, trained on the half that was not remembered (a bag-of-words
inversion as of Song and Raghunathan, Information leakage in embedding models, 2020, https://arxiv.org/abs/2004.00053); a stronger decoder
would read more. Texts are read as they are.

`nothing_stolen` is what the attacker says without any memory: texts of the pool at random, and its most frequent words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....memory import CueMemory
from ....numerics.arrays import Labels, Vector
from ...data.seeded import Metrics, rows_of
from ...data.texts import TextData, Texts, banking77, clinc150
from ...data.worker_pool import worker_pool
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .budgets import BUDGETS
from .sampled_memories import GaussianMemory, QuantisedMemory, RawMemory, SampledMemory

NAMED = 10
"""Words that the attacker names for a vector."""
NEAR = 0.8
"""Share of common words among all words of two texts from which on one is nearly the other."""
RIDGE = 1.0
"""Of the linear decoder."""
DRAWS = 3
"""Seeds at most."""
QUICK_CLASSES = 4
QUICK_METHODS = ("texts", "nothing_stolen", "raw_8_bit", "class_means", "lifelong_cues_4_kb")
CUES = ("0.5", "1", "2", "4", "8")
"""Budgets of cues, in kilobytes a class of the whole data set; half of the texts take about half of that."""

METHODS = (
    "texts",
    "nothing_stolen",
    "raw_8_bit",
    "quantised_48",
    "class_gaussians_4_kb",
    "class_means",
    *(f"lifelong_cues_{budget.replace('.', '_')}_kb" for budget in CUES),
)
"""Memories that are attacked, and the two ends of the scale."""


def run(*, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Both data sets; quick: a few classes of one, and a few memories."""
    rows: list[Row] = []
    only = replace(only, methods=only.methods or QUICK_METHODS) if quick else only
    with worker_pool() as pool:
        for name, load in (("clinc150", clinc150),) if quick else (("clinc150", clinc150), ("banking77", banking77)):
            case = f"{name}, what a stolen memory reveals"
            if not only.wants_case(case) or not only.wants_any(METHODS):
                continue
            texts = load(data)
            measured = pool.map(partial(measure, texts, QUICK_CLASSES if quick else len(texts.names), only), range(min(seeds, DRAWS)))
            rows += only.rows(rows_of(case, measured, n=len(texts.train) // 2))
    return rows


def measure(data: TextData, classes: int, only: RowFilter, seed: int) -> Metrics:
    """What is recovered from each memory of the half that a seed draws."""
    pool = data.train.subset(data.train.labels < classes)
    draw = np.random.default_rng(seed)
    kept = np.zeros(len(pool), dtype=bool)
    for label in np.unique(pool.labels):
        places = np.flatnonzero(pool.labels == label)
        kept[draw.permutation(places)[: len(places) // 2]] = True
    attack = Attack(pool, kept)
    figures: dict[tuple[str, str], float] = {
        ("texts", "texts_recovered_exactly"): 1.0,
        ("texts", "texts_recovered_nearly"): 1.0,
        ("texts", "named_texts_that_were_remembered"): 1.0,
        ("texts", "words_recovered"): 1.0,
    }
    figures |= {("nothing_stolen", metric): value for metric, value in attack.without_memory(draw).items()}
    remembered = pool.subset(kept)
    for method, (vectors, labels) in recalled(remembered, seed, only.methods).items():
        if not only.wants_method(method):
            continue
        figures |= {(method, metric): value for metric, value in attack.on(vectors, labels).items()}
    return figures


def recalled(texts: Texts, seed: int, methods: tuple[str, ...] = ()) -> Mapping[str, tuple[Vector, Labels]]:
    """What each memory, or each one named, recalls of the texts, with its class numbers."""
    memories: dict[str, SampledMemory | CueMemory] = {
        "raw_8_bit": RawMemory(per_class=None, seed=seed),
        "quantised_48": QuantisedMemory(),
        "class_gaussians_4_kb": GaussianMemory(shared=BUDGETS["4"][2][0], own=BUDGETS["4"][2][1], seed=seed),
    }
    for budget in CUES:
        step, kept, directions = BUDGETS[budget][0]
        memories[f"lifelong_cues_{budget.replace('.', '_')}_kb"] = CueMemory(step=step, kept=kept, directions=directions)
    found = {}
    for method, memory in memories.items():
        if not methods or method in methods:
            memory.remember(texts.vectors, texts.labels)
            found[method] = memory.recall()
    known = np.unique(texts.labels)
    means = np.array([texts.vectors[texts.labels == label].mean(0) for label in known], dtype=np.float32)
    return {**found, "class_means": (means, known)}


class Attack:
    """An attacker with a pool of candidates, of which the `kept` ones were remembered."""

    def __init__(self, pool: Texts, kept: NDArray[np.bool_]) -> None:
        self.pool, self.kept = pool, kept
        words = [sorted(set(text.lower().split())) for text in pool.texts]
        vocabulary = {word: place for place, word in enumerate(sorted({word for some in words for word in some}))}
        self.bags = np.zeros((len(pool), len(vocabulary)), dtype=np.float32)
        for row, some in enumerate(words):
            self.bags[row, [vocabulary[word] for word in some]] = 1
        own = pool.vectors[~kept].astype(np.float64)
        self.rate = self.bags[~kept].mean(0)
        self.decoder = np.linalg.solve(own.T @ own + RIDGE * np.eye(own.shape[1]), own.T @ (self.bags[~kept] - self.rate))

    def on(self, vectors: Vector, labels: NDArray[np.int64]) -> dict[str, float]:
        """What recalled vectors `(n, d)` of classes `(n,)` give away."""
        named = (vectors @ self.pool.vectors.T).argmax(1)
        return {**self._texts(named), "words_recovered": self._words(vectors, labels)}

    def without_memory(self, draw: np.random.Generator) -> dict[str, float]:
        """As many candidates as were remembered, at random; and the same words for every text."""
        named = draw.permutation(len(self.pool))[: int(self.kept.sum())]
        said = np.argsort(-self.rate, kind="stable")[:NAMED]
        bags = self.bags[self.kept]
        return {**self._texts(named), "words_recovered": float((bags[:, said].sum(1) / bags.sum(1)).mean())}

    def _texts(self, named: NDArray[np.int64]) -> dict[str, float]:
        texts = self.pool.texts
        said = {texts[place] for place in named}
        truth = [texts[place] for place in np.flatnonzero(self.kept)]
        near = self._nearly(np.unique(named))
        return {
            "texts_recovered_exactly": float(np.mean([text in said for text in truth])),
            "texts_recovered_nearly": float(near.mean()),
            "named_texts_that_were_remembered": len(said & set(truth)) / len(said),
        }

    def _nearly(self, named: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For each remembered text, whether a named one has nearly its words."""
        guesses, truth = self.bags[named], self.bags[self.kept]
        sizes, near = guesses.sum(1), np.zeros(len(truth), dtype=bool)
        for start in range(0, len(truth), 512):
            some = truth[start : start + 512]
            common = some @ guesses.T
            near[start : start + 512] = (common >= NEAR * (some.sum(1)[:, None] + sizes - common)).any(1)
        return near

    def _words(self, vectors: Vector, labels: NDArray[np.int64]) -> float:
        """Share of a remembered text's words among those read from the recalled vector of its class that is nearest to it."""
        shares = []
        for label in np.unique(self.pool.labels):
            mine = self.kept & (self.pool.labels == label)
            recalled_rows = vectors[labels == label]
            if not len(recalled_rows):
                shares += [0.0] * int(mine.sum())
                continue
            nearest = recalled_rows[(self.pool.vectors[mine] @ recalled_rows.T).argmax(1)]
            said = top(nearest @ self.decoder + self.rate, NAMED)
            bags = self.bags[mine]
            shares += (np.take_along_axis(bags, said, axis=1).sum(1) / bags.sum(1)).tolist()
        return float(np.mean(shares))


def top(scores: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """The places of the `count` largest of each row; all of them where there are fewer."""
    return np.asarray(np.argsort(-scores, axis=1, kind="stable")[:, :count], dtype=np.int64)
