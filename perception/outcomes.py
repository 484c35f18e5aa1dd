"""`OutcomeModel`: the chance that this agent solves this task, learned from what became of tasks like it.

Three things are read: how the skill fared under the adapter that serves it, how its nearest tasks fared, and, once there is an
answer, how likely the model itself found it.

Nadaraya 1964, "On Estimating Regression", https://doi.org/10.1137/1109020: the kernel estimate of `neighbour_chance`; that it is shrunk
to the skill's own rate and joined with the model's likelihood is this project's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..numerics.arrays import Floats, Vector
from .selective.fusion import Fusion
from .selective.selective_rule import SelectiveRule, selective_rule

BANDWIDTHS = (0.0, 0.02, 0.05, 0.1, 0.2)
"""Candidates for the reach of one outcome, in units of one minus the cosine; 0: the skill's history alone."""
STRENGTH = 2.0
"""How many outcomes the skill's history weighs beside those of the nearest tasks."""
CAPACITY = 256
"""Outcomes of one skill under one adapter that are kept, the newest ones."""
ENOUGH = 20
"""Outcomes with a likelihood, and a quarter of it of either kind, from which on the likelihood is listened to."""


def history_chance(successes: Floats | float, judged: Floats | float) -> Floats:
    """`(successes + 1) / (judged + 2)`: Laplace's rule of succession, the mean of the Beta(1, 1) posterior."""
    return np.asarray((np.asarray(successes) + 1) / (np.asarray(judged) + 2), dtype=np.float64)


def neighbour_chance(similarities: Floats, outcomes: Floats, base: Floats | float, bandwidth: float) -> Floats:
    """Chance of success `(m,)` from cosines `(m, n)` to tasks whose outcomes `(n,)` in {0, 1} are known.

    `(s base + sum_i k_i y_i) / (s + sum_i k_i)` with `k_i = exp((cos_i - 1) / bandwidth)` and s = 2: the Nadaraya-Watson
    estimate (Watson 1964) shrunk to the skill's own rate, which is the mean of a Beta posterior with fractional counts.
    """
    if bandwidth <= 0:
        return np.broadcast_to(np.asarray(base, dtype=np.float64), similarities.shape[:1]).copy()
    weights = np.exp((similarities - 1) / bandwidth)
    return np.asarray((STRENGTH * np.asarray(base) + weights @ outcomes) / (STRENGTH + weights.sum(1)))


def logarithmic_loss(chances: Floats, outcomes: Floats) -> float:
    """Mean cross-entropy in nats of outcomes in {0, 1} under their chances."""
    right = np.clip(np.where(outcomes > 0, chances, 1 - chances), 1e-12, 1.0)
    return float(-np.log(right).mean())


@dataclass
class _History:
    """What became of one skill's tasks under one adapter, newest last."""

    vectors: list[Vector] = field(default_factory=list)
    outcomes: list[bool] = field(default_factory=list)
    likelihoods: list[float | None] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    fitted: _Fitted | None = None


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    vectors: Vector
    """Of every kept outcome `(n, d)`."""
    bandwidth: float
    chances: Floats
    """Leave-one-out chance of every kept outcome."""
    fusion: Fusion | None
    """Of the chance's log odds and the likelihood; None while the likelihood is not listened to."""


class OutcomeModel:
    """What this agent can do, by skill and by the adapter that serves it.

    All that it says follows from the newest outcomes of each; the bandwidth is the one with the least leave-one-out loss on
    them, so that the embedding counts where it tells something and not elsewhere. Learning an outcome is an append; what is
    derived is derived when next asked for.
    """

    def __init__(self) -> None:
        self._histories: dict[tuple[str, str], _History] = {}

    def learn(self, vector: Vector, skill: str, adapter: str, success: bool, likelihood: float | None = None, key: str = "") -> None:
        """Add the outcome of a task, a unit vector `(d,)`; `likelihood` is the answer's mean natural-log probability a token.

        `key` names the run, where it may be judged again or forgotten: another outcome of the same run replaces the first.

        A zero vector (its encoder failed) counts for the skill's history and is near to nothing. Raises `ValueError` for NaN.
        """
        if not np.isfinite(vector).all():
            raise ValueError("the vector of an outcome holds NaN or infinite values; encode the task again or leave it out")
        if key:
            self.forget([key])
        history = self._histories.setdefault((skill, adapter), _History())
        history.vectors.append(vector)
        history.outcomes.append(success)
        history.likelihoods.append(_finite(likelihood))
        history.keys.append(key)
        for kept in (history.vectors, history.outcomes, history.likelihoods, history.keys):
            del kept[:-CAPACITY]
        history.fitted = None

    def forget(self, keys: Iterable[str]) -> None:
        """Take the outcomes of these runs back; unknown ones are skipped. Older outcomes that these had pushed out do not come back."""
        gone = set(keys)
        for pair, history in list(self._histories.items()):
            rows = [row for row, key in enumerate(history.keys) if key not in gone]
            if not rows:
                del self._histories[pair]
            elif len(rows) < len(history.keys):
                self._histories[pair] = _History(
                    vectors=[history.vectors[row] for row in rows],
                    outcomes=[history.outcomes[row] for row in rows],
                    likelihoods=[history.likelihoods[row] for row in rows],
                    keys=[history.keys[row] for row in rows],
                )

    def counts(self, skill: str, adapter: str) -> tuple[int, int]:
        """Successes and outcomes kept of a skill under an adapter."""
        history = self._histories.get((skill, adapter), _History())
        return sum(history.outcomes), len(history.outcomes)

    def chance(self, vector: Vector, skill: str, adapter: str, likelihood: float | None = None) -> float:
        """Chance in (0, 1) that a task, a unit vector `(d,)`, is solved; 0.5 where nothing is known.

        With the `likelihood` of an answer it is the chance that this answer is right.
        """
        history = self._histories.get((skill, adapter))
        if history is None:
            return 0.5
        fitted = _fit(history)
        outcomes = np.array(history.outcomes, dtype=np.float64)
        similarities = fitted.vectors.astype(np.float64) @ vector.astype(np.float64)
        base = history_chance(outcomes.sum(), len(outcomes))
        chance = float(neighbour_chance(similarities[None, :], outcomes, base, fitted.bandwidth)[0])
        likelihood = _finite(likelihood)
        if likelihood is None or fitted.fusion is None:
            return chance
        return float(fitted.fusion.chance(_columns(np.array([chance]), np.array([likelihood])))[0])

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned, as plain arrays."""
        histories = list(self._histories.values())
        likelihoods = [value for history in histories for value in history.likelihoods]
        return {
            "pairs": np.array([list(pair) for pair in self._histories], dtype=np.str_).reshape(-1, 2),
            "sizes": np.array([len(history.keys) for history in histories], dtype=np.int64),
            "vectors": np.array([vector for history in histories for vector in history.vectors], dtype=np.float32),
            "outcomes": np.array([outcome for history in histories for outcome in history.outcomes], dtype=bool),
            "likelihoods": np.array([np.nan if value is None else value for value in likelihoods], dtype=np.float64),
            "keys": np.array([key for history in histories for key in history.keys], dtype=np.str_),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Become what `state` returned."""
        self._histories = {}
        ends = np.cumsum(state["sizes"])
        for (skill, adapter), size, end in zip(state["pairs"].tolist(), state["sizes"].tolist(), ends.tolist(), strict=True):
            rows = slice(end - size, end)
            likelihoods = state["likelihoods"][rows].tolist()
            self._histories[skill, adapter] = _History(
                vectors=list(state["vectors"][rows]),
                outcomes=state["outcomes"][rows].tolist(),
                likelihoods=[_finite(value) for value in likelihoods],
                keys=state["keys"][rows].tolist(),
            )

    def rule(self, serving: Iterable[tuple[str, str]], risk: float) -> SelectiveRule | None:
        """The threshold on the chance above which at most `risk` of the tasks fail, with 95 % confidence (`selective_rule`).

        Calibrated on the leave-one-out chances of the skills and adapters in `serving`, so that it follows as skills are added
        and adapters change. These are nearly, not exactly, what a new task's chance would be: the bandwidth was chosen on the same
        outcomes. None while there is no outcome.
        """
        histories = [history for pair in sorted(set(serving)) if (history := self._histories.get(pair))]
        if not histories:
            return None
        chances = np.concatenate([_fit(history).chances for history in histories])
        outcomes = np.concatenate([np.array(history.outcomes, dtype=bool) for history in histories])
        return selective_rule(chances, outcomes, risk=risk)


def _fit(history: _History) -> _Fitted:
    if history.fitted is None:
        outcomes = np.array(history.outcomes, dtype=np.float64)
        kept = np.stack(history.vectors)
        vectors = kept.astype(np.float64)
        similarities = vectors @ vectors.T
        # A task is no neighbour of its own (`exp(-inf)` is 0), nor does its outcome count in the rate that it is shrunk to.
        np.fill_diagonal(similarities, -np.inf)
        base = history_chance(outcomes.sum() - outcomes, len(outcomes) - 1)
        candidates = [neighbour_chance(similarities, outcomes, base, bandwidth) for bandwidth in BANDWIDTHS]
        losses = [logarithmic_loss(chances, outcomes) for chances in candidates]
        best = int(np.argmin(losses))
        fusion = _likelihood_fusion(candidates[best], history)
        history.fitted = _Fitted(vectors=kept, bandwidth=BANDWIDTHS[best], chances=candidates[best], fusion=fusion)
    return history.fitted


def _finite(likelihood: float | None) -> float | None:
    """A server that tells no probabilities says minus infinity: the same as no likelihood."""
    return likelihood if likelihood is not None and np.isfinite(likelihood) else None


def _likelihood_fusion(chances: Floats, history: _History) -> Fusion | None:
    known = np.array([value is not None for value in history.likelihoods])
    solved = np.array(history.outcomes, dtype=bool)[known]
    if len(solved) < ENOUGH or min(solved.sum(), (~solved).sum()) < ENOUGH / 4:
        return None
    likelihoods = np.array([value for value in history.likelihoods if value is not None], dtype=np.float64)
    columns = _columns(chances[known], likelihoods)
    return Fusion.fit(columns[~solved], columns[solved], balanced=False)


def _columns(chances: Floats, likelihoods: Floats) -> Floats:
    return np.stack([np.log(chances / (1 - chances)), likelihoods], axis=1)
