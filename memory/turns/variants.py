"""German words of a question that stand nowhere as they are: other endings of theirs, and the parts of compounds.

`terms` brings English words to their stems alone; a stem for every language would take words of one for those of another. Instead
the words of a German question that nobody has said are sought under their other endings, among what was said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from .terms import stem, words
from .turn import Lists, Postings

_GERMAN = frozenset(
    re.findall(
        r"\w+",
        """
        der das ist sind mein meine meiner meinem meinen wie wo wer wann wem wen ich nicht und dem ein eine einen einem einer wir unser
        unsere unserer unserem unseren haben welche welcher welches welchen wieviel wohin woher warum heisst heissen im zum zur
        """,
    )
)
"""Words that hardly any other language has in a question; without those that English has, such as `was`, `die` and `war`."""
_ENDINGS = ("", "e", "en", "er", "ern", "em", "es", "n", "s", "t", "st", "et", "te", "in", "innen")
"""Of nouns, adjectives and verbs."""
STEM = 3
"""Letters that stay at least where an ending is taken off."""
PART = 4
"""Letters of a part of a compound at least."""
_LINKS = ("", "s", "es", "n", "en")
"""What may stand between two parts."""
LONGEST = 30
"""Letters of a word that is looked at."""


def is_german(text: str) -> bool:
    """Whether a question holds two words, or begins with one, that are German.

    >>> is_german("Wo wohnt Ada?"), is_german("Where does Ada live?"), is_german("What was the hat in the den?")
    (True, False, False)
    """
    said = words(text[:400])
    return bool(said) and (said[0] in _GERMAN or sum(word in _GERMAN for word in said) > 1)


def endings(term: str) -> list[str]:
    """A word's other forms, as `terms` gives them, itself left out.

    >>> {"hund", "katz"} <= {*endings("hunden"), *endings("katzen")}
    True
    """
    if not STEM < len(term) <= LONGEST or not term.isalpha():
        return []
    bases = [term[: len(term) - len(ending)] for ending in _ENDINGS if term.endswith(ending) and len(term) - len(ending) >= STEM]
    return [form for form in dict.fromkeys(stem(base + ending) for base in bases for ending in _ENDINGS) if form != term]


def parts(term: str) -> list[str]:
    """What a compound may be made of, as `terms` gives it.

    >>> {"flur", "drucker"} <= {*parts("flurdrucker")}
    True
    """
    if not 2 * PART <= len(term) <= LONGEST or not term.isalpha():
        return []
    found: list[str] = []
    for cut in range(PART, len(term) - PART + 1):
        first, last = term[:cut], term[cut:]
        found += [
            stem(last),
            *(stem(first.removesuffix(link)) for link in _LINKS if len(first) - len(link) >= PART and first.endswith(link)),
        ]
    return list(dict.fromkeys(found))


def widened(lists: Lists, look_up: Callable[[Sequence[str]], Lists]) -> Lists:
    """Lists in which a term that stands nowhere stands where its other forms do, or, where these do not either, the parts of it.

    A word that stands under another form weighs as that one does.
    """
    for forms in (endings, parts):
        missing = {place: forms(term) for place, term in enumerate(lists.terms) if not len(lists.postings[place])}
        sought = list(dict.fromkeys(form for some in missing.values() for form in some))
        if sought:
            lists = _filled(lists, missing, look_up(sought))
    return lists


def _filled(lists: Lists, missing: dict[int, list[str]], found: Lists) -> Lists:
    weights, postings = list(lists.weights), list(lists.postings)
    known = {term: place for place, term in enumerate(found.terms) if len(found.postings[place])}
    for place, forms in missing.items():
        there = [known[form] for form in forms if form in known]
        if there:
            weights[place] = min(found.weights[one] for one in there)
            postings[place] = _together([found.postings[one] for one in there])
    return replace(lists, weights=tuple(weights), postings=tuple(postings))


def _together(some: Sequence[Postings]) -> Postings:
    """Where any of several terms stands; how often is the sum."""
    turns, places = np.unique(np.concatenate([one.turns for one in some]), return_inverse=True)
    counts = np.bincount(places, np.concatenate([one.counts for one in some])).astype(np.int64)
    return Postings(turns=turns, counts=counts)
