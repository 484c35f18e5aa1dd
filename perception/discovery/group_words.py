"""Names for groups of texts from their own words: what a group says often and the others seldom. No model is needed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from math import log

WORD = re.compile(r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)*")
"""A word: two letters or more of any script."""
MOST_CHARACTERS = 2000
"""Read of a text: a name does not come from its end."""
LEAST_SHARE = 0.2
"""Share of a group's texts in which a word stands, at least, so that one long text does not name its group."""


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, each once, in order."""
    return list(dict.fromkeys(word.casefold() for word in WORD.findall(text[:MOST_CHARACTERS])))


def group_words(groups: Mapping[str, Sequence[str]], most: int = 3) -> dict[str, tuple[str, ...]]:
    """The words that tell each group of texts from the others, the most telling first; fewer where a group has no more.

    The weight of a word is its share of the group's texts times `log(1 + A / f)`: `f` is the sum of its shares over all groups
    and `A` the mean number of different words in a text of a group, summed (class-based TF-IDF: Grootendorst 2022, "BERTopic",
    https://arxiv.org/abs/2203.05794, equation 1, with texts counted instead of occurrences and groups alike whatever their size).
    """
    shares: dict[str, dict[str, float]] = {}
    for name, texts in groups.items():
        counts = Counter(word for text in texts for word in words_of(text))
        shares[name] = {word: count / len(texts) for word, count in counts.items()}
    totals: Counter[str] = Counter()
    for mine in shares.values():
        totals.update(mine)
    average = sum(totals.values()) / max(len(groups), 1)
    named: dict[str, tuple[str, ...]] = {}
    for name, mine in shares.items():
        weights = {word: share * log(1 + average / totals[word]) for word, share in mine.items() if share >= LEAST_SHARE}
        named[name] = tuple(sorted(weights, key=lambda word: (-weights[word], word))[:most])
    return named
