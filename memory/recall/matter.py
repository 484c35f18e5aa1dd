"""Whether one statement takes the place of another: what a person says anew on the same matter supersedes what was said before."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..turns.terms import terms
from .fusion import FILE

FEATURES = ("cosine", "overlap", "subject", "change", "change_and_subject")
"""What the chance is made of."""

SUBJECT = 2
"""Terms with which a statement names what it is about."""

_CHANGE = re.compile(
    r"\b(?:now|no longer|any ?more|any longer|instead|moved|changed?|switched|renamed|replaced|since|new|actually|used to|from now on"
    r"|these days|after all|correction|meant|sorry|gave up|left|cancelled|postponed|upgraded|raised|extended|turned out|sold|again"
    r"|jetzt|nicht mehr|umgezogen|stattdessen|maintenant|désormais|ne plus|ahora|ya no)\b",
    re.IGNORECASE,
)


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
    """What two statements share: cosine of their embeddings, share of the shorter one's terms, how much of what each begins with stands
    in the other, and whether the later tells of a change.

    >>> matter_features("My cat is called Tom.", "My cat is called Kim now.", 0.8)
    (0.8, 0.6666666666666666, 1.0, 1.0, 1.0)
    """
    one, other = terms(earlier), terms(later)
    overlap = len({*one} & {*other}) / max(1, min(len({*one}), len({*other})))
    begins = [*dict.fromkeys(one)][:SUBJECT], [*dict.fromkeys(other)][:SUBJECT]
    shared = sum(term in other for term in begins[0]) + sum(term in one for term in begins[1])
    subject = shared / max(1, len(begins[0]) + len(begins[1]))
    change = float(_CHANGE.search(later) is not None)
    return cosine, overlap, subject, change, change * subject


def same_matter(earlier: str, later: str, cosine: float) -> bool:
    """Whether the later statement takes the place of the earlier one."""
    return matter_weights().chance(matter_features(earlier, later, cosine)) >= 0.5
