"""Whether one statement takes the place of another: what a person says anew on the same matter supersedes what was said before."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from ..turns.sentences import LONGEST, SENTENCE, stating
from ..turns.terms import terms, words
from .fusion import FILE

FEATURES = ("cosine", "overlap", "shared", "subject", "change", "change_and_overlap", "turned", "turned_and_overlap", "beside")
"""What the chance is made of."""

SUBJECT = 2
"""Terms with which a statement names what it is about."""
SENTENCES = 8
"""Sentences of a statement that are compared; of a longer one the rest is left out."""
FEWEST = 3
"""Terms that a sentence is counted to have at least: of one of a single word the half is no evidence."""

_CHANGE = re.compile(
    r"\b(?:now|since|new|again|actually|these days|from (?:now|next \w+) on|changed?|moved|left|started|jetzt|seit|maintenant|ahora)\b",
    re.IGNORECASE,
)
"""Words that what has changed is told with, and much else."""
_TURNED = re.compile(
    r"(?:\bnot|n['’]t)\b.{1,60}\b(?:any ?more|any longer)\b|\b(?:no longer|no more|instead|switched|renamed|replaced|used to|after all"
    r"|correction|i meant|gave up|given up|dropped|stopped|quit|cancelled|postponed|extended|raised|turned out|sold"
    r"|(?:moved|changed|switched)\b.{0,60}\b(?:to|from|into)"
    r"|nicht mehr|umgezogen|stattdessen|aufgehört|désormais|ne\b.{1,60}\bplus|ya no)\b",
    re.IGNORECASE,
)
"""Words that say that something is not as it was."""
_CALLED = re.compile(r"(?:(?<=^)|(?<=[,.!?;:]\s))[A-ZÀ-Þ][\w'’-]*(?=[,!.?])|,\s[A-ZÀ-Þ][\w'’-]*(?=[,!.?])")
"""Whom a sentence is said to: a name between marks."""
_COURTESY = re.compile(
    r"^(?:\W*\b(?:hey|hi|hello|wow|oh|ah|aw|yeah|yes|no|haha|thanks|thank you|so|well|and|but|cool|nice|great|good|by the way"
    r"|big news)\b)+\W*",
    re.IGNORECASE,
)
_PEOPLE = frozenset(
    re.findall(
        r"\w+",
        """
        mother father mum mom dad sister brother cousin aunt uncle niece nephew son daughter grandmother grandfather grandma grandpa wife
        husband girlfriend boyfriend partner fiance neighbour neighbor colleague flatmate roommate boss friend teacher parents kids
        children twins brothers sisters cousins neighbours colleagues friends
        mutter vater schwester bruder kusine tante onkel nichte neffe sohn tochter oma opa frau mann freundin freund nachbar nachbarin
        kollege kollegin chef chefin eltern kinder mere pere soeur frere hermana hermano madre padre
        """,
    )
)
"""Whose matter it may be."""
_OWN = re.compile(r"(?:i|we|my|our|ich|wir|mein\w*|unser\w*)\b", re.IGNORECASE)
BEGINNING = 5
"""Words within which a sentence names whose matter it is."""


@dataclass(frozen=True, kw_only=True)
class _Sentence:
    """One sentence of a statement."""

    terms: tuple[str, ...]
    """What it is found by, each once."""
    people: frozenset[str]
    """Who it is about, where that is not its speaker."""
    own: bool
    """Whether it begins with its speaker."""
    change: bool
    """Whether words stand in it with which changes are told."""
    turned: bool
    """Whether it says that something is not as it was."""


@dataclass(frozen=True, kw_only=True)
class MatterWeights:
    """A logistic model of whether a later statement says something else on the same matter."""

    weights: tuple[float, ...]
    """Of each entry of `FEATURES`."""
    offset: float
    """The logit where all are zero."""

    def chance(self, features: Collection[float]) -> float:
        """In (0, 1)."""
        logit = sum(weight * value for weight, value in zip(self.weights, features, strict=True)) + self.offset
        return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


@cache
def matter_weights() -> MatterWeights:
    """Those that come with the package."""
    read = json.loads(FILE.read_text(encoding="utf-8"))["same_matter"]
    return MatterWeights(weights=tuple(read[name] for name in FEATURES), offset=read["offset"])


def matter_features(earlier: str, later: str, cosine: float) -> tuple[float, ...]:
    """What two statements share: cosine of their embeddings, and the rest of the two sentences that share most.

    Of these the share of the shorter one's terms, how many terms, how much of what each begins with stands in the other, whether the
    later tells of a change or says that something is not as it was, and how much stands beside them. Sentences that ask, courtesies and
    whom a sentence is said to are left out: many a turn begins with a name. All is zero where they share no term, since the cosine is
    that of whole turns, which speak of several matters, and where they are about different people.

    >>> [round(one, 2) for one in matter_features("My cat is called Tom.", "Hey Ann! My cat is called Kim now.", 0.8)]
    [0.8, 0.67, 0.5, 1.0, 1.0, 0.67, 0.0, 0.0, 0.0]
    """
    one, other = _best_pair(_sentences(earlier), _sentences(later))
    if one is None or other is None or not {*one.terms} & {*other.terms} or _of_others(one, other):
        return (0.0,) * len(FEATURES)
    shared, overlap, subject = _shared(one, other)
    change, turned = float(other.change), float(other.turned)
    beside = sum(len(said.terms) for text in (earlier, later) for said in _sentences(text)) - len(one.terms) - len(other.terms)
    rest = change, change * overlap, turned, turned * overlap, float(np.log1p(beside))
    return (cosine, overlap, min(shared, 4) / 4, subject, *rest)


def same_matter(earlier: str, later: str, cosine: float) -> bool:
    """Whether the later statement takes the place of the earlier one."""
    return matter_weights().chance(matter_features(earlier, later, cosine)) >= 0.5


def _best_pair(earlier: Sequence[_Sentence], later: Sequence[_Sentence]) -> tuple[_Sentence | None, _Sentence | None]:
    """The sentence of each that share most; None where either has none."""
    pairs = [(one, other) for one in earlier for other in later]
    return max(pairs, key=lambda pair: sum(_shared(*pair)[1:]), default=(None, None))


def _of_others(one: _Sentence, other: _Sentence) -> bool:
    """Whether the later sentence is about people whom the earlier one does not name, or about its speaker where that one is about others.

    `Ada has moved` may well be about `my sister Ada`.
    """
    return bool(other.people - one.people or (other.own and one.people - other.people))


def _shared(one: _Sentence, other: _Sentence) -> tuple[int, float, float]:
    """Terms that both hold, their share of the shorter one's, and the share of what each begins with that the other holds."""
    shared = len({*one.terms} & {*other.terms})
    overlap = shared / max(FEWEST, min(len(one.terms), len(other.terms)))
    begins = one.terms[:SUBJECT], other.terms[:SUBJECT]
    held = sum(term in other.terms for term in begins[0]) + sum(term in one.terms for term in begins[1])
    return shared, overlap, held / max(1, len(begins[0]) + len(begins[1]))


@lru_cache(maxsize=4096)
def _sentences(text: str) -> tuple[_Sentence, ...]:
    """The sentences of a statement that state something, without whom they are said to and without courtesies."""
    stated = (_COURTESY.sub("", one) for one in stating(SENTENCE.findall(text[:LONGEST])))
    plain = (_COURTESY.sub("", _CALLED.sub(" ", one)) for one in stated)
    found = (_sentence(one) for one in plain)
    return tuple(one for one in found if one.terms)[:SENTENCES]


def _sentence(text: str) -> _Sentence:
    return _Sentence(
        # `i'm` and `that's` are no words of the matter.
        terms=tuple(dict.fromkeys(term for term in terms(text) if "'" not in term and "’" not in term)),
        people=_PEOPLE & {_of_whom(word) for word in words(text)[:BEGINNING]},
        own=_OWN.match(text.lstrip(" \t\"'“”‘’«»([-")) is not None,
        change=_CHANGE.search(text) is not None,
        turned=_TURNED.search(text) is not None,
    )


def _of_whom(word: str) -> str:
    """`father` of `father's`."""
    return re.split("['’]", word, maxsplit=1)[0]
