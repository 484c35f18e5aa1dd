"""How signals become one order and one probability: weights that were learned, small enough to be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ...numerics.arrays import Floats
from .signals import SIGNALS, Candidates, signals

FILE = Path(__file__).with_name("weights.json")
"""Learned on conversations of the project's own making by `lifelong bench recall --learn`."""

EVIDENCE = ("chance", "margin", "share", "similarity", "window_share", "similar_and_shared", "few_terms")
"""What the probability is made of."""

AS_SUCH = ("share", "similarity", "window_share", "similar_and_shared")
"""Signals among it."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A linear model of the signals, and a logistic one of what it found."""

    signals: Floats
    """Weight of each signal, in the order of `SIGNALS`."""
    evidence: Floats
    """Weight of each entry of `EVIDENCE` in the probability's logit."""
    offset: float
    """The logit where all evidence is zero."""

    def score(self, values: Floats) -> Floats:
        """One number a candidate; larger is needed rather. Convex in the weights under the listwise loss that they are learned by.

        ListNet's top-one loss (Cao et al. 2007, https://doi.org/10.1145/1273496.1273513, eq. 6).
        """
        return np.asarray(values @ self.signals)

    def probability(self, one: Candidates, values: Floats, scores: Floats) -> Floats:
        """How probable it is that each candidate is needed, in (0, 1); `values` and `scores` are those of all that come into question."""
        logit = evidence(one, values, scores) @ self.evidence + self.offset
        return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))))

    def reasons(self, values: Floats, row: int) -> dict[str, float]:
        """What each kind of signal adds to a candidate's score beyond the mean candidate, the largest first."""
        gained = (values[row] - values.mean(axis=0)) * self.signals
        kinds: dict[str, float] = {}
        for (kind, _), gain in zip(SIGNALS.values(), gained.tolist(), strict=True):
            kinds[kind] = kinds.get(kind, 0.0) + gain
        return dict(sorted(kinds.items(), key=lambda item: -item[1]))

    def to_json(self) -> dict[str, object]:
        """As the file holds them."""
        return {
            "signals": dict(zip(SIGNALS, self.signals.round(4).tolist(), strict=True)),
            "evidence": dict(zip(EVIDENCE, self.evidence.round(4).tolist(), strict=True)),
            "offset": round(self.offset, 4),
        }

    @classmethod
    def from_json(cls, read: Mapping[str, object]) -> Weights:
        """The inverse of `to_json`; a signal that the file does not name weighs nothing."""
        by_signal, by_evidence = read["signals"], read["evidence"]
        assert isinstance(by_signal, Mapping)
        assert isinstance(by_evidence, Mapping)
        return cls(
            signals=np.array([float(by_signal.get(name, 0.0)) for name in SIGNALS]),
            evidence=np.array([float(by_evidence.get(name, 0.0)) for name in EVIDENCE]),
            offset=float(str(read["offset"])),
        )


@cache
def shipped() -> Weights:
    """The weights that come with the package."""
    return Weights.from_json(json.loads(FILE.read_text(encoding="utf-8")))


def evidence(one: Candidates, values: Floats, scores: Floats) -> Floats:
    """What speaks for a candidate by itself, whatever the others are worth: `(n, len(EVIDENCE))`.

    The best of bad candidates wins every order; it is needed only where words or meaning fit as such.
    """
    column = {name: place for place, name in enumerate(SIGNALS)}
    above = scores - scores.max()
    chance = np.exp(above) / np.exp(above).sum()
    few = np.full(len(scores), 1.0 / (1 + len(one.asked)))
    named = [values[:, column[name]] for name in AS_SUCH]
    # Not in standard deviations: among few candidates even the only right one cannot be many of them away.
    margin = scores - np.median(scores)
    return np.stack([np.log(chance + 1e-6), margin, *named, few], axis=1)


def ranked(one: Candidates, weights: Weights) -> tuple[Floats, Floats]:
    """Signals that count and scores of all candidates."""
    weighed = [name for name, weight in zip(SIGNALS, weights.signals.tolist(), strict=True) if weight]
    values = signals(one, {*weighed, *AS_SUCH})
    return values, weights.score(values)
