"""`DriftMonitor`: whether the known tasks of a stream still score like those that thresholds were set on."""

from __future__ import annotations

from collections import deque

import numpy as np

from ...numerics.arrays import Floats

ALARM = 100.0
"""Wealth at which drift is called: while nothing drifts, no more than one stream in a hundred ever reaches it (Ville's inequality)."""
BETS = np.array([-1.0, 0.0, 1.0])
"""Slopes of the bets: that scores are stranger than they were, as they were, and less strange."""
JUMP = 0.01
"""Share of the wealth that is spread evenly over the bets at every step, so that a drift that begins late is noticed as well."""
WINDOW = 512
"""Newest scores that are kept."""


class DriftMonitor:
    """A conformal test martingale over the scores of tasks that turned out to be known.

    Each score becomes a p-value, its rank among the reference scores; wealth is staked on p-values that are not uniform (the simple
    jumper of Vovk, Petej, Nouretdinov, Ahlberg, Carlsson & Gammerman 2021, "Retrain or not retrain: conformal test martingales for
    change-point detection", https://arxiv.org/abs/2102.10439, algorithm 1).
    """

    def __init__(self, reference: Floats) -> None:
        """`reference` are the scores `(n,)` that thresholds rest on. Raises `ValueError` for none."""
        if not len(reference):
            raise ValueError("no reference scores; drift is a difference from some")
        self._reference = np.sort(np.asarray(reference, dtype=np.float64))
        self._recent: deque[float] = deque(maxlen=WINDOW)
        self._stakes = np.full(len(BETS), 1 / len(BETS))

    @property
    def wealth(self) -> float:
        """1 at the beginning; large where the scores differ from the reference."""
        return float(self._stakes.sum())

    @property
    def drifted(self) -> bool:
        """Whether drift is called."""
        return self.wealth >= ALARM

    @property
    def recent(self) -> Floats:
        """The newest scores, oldest first."""
        return np.array(self._recent, dtype=np.float64)

    def add(self, score: float) -> None:
        """Take in the score of the next known task."""
        self._recent.append(score)
        # Ties count half, so that equal scores give the middle of their ranks.
        below = int(np.searchsorted(self._reference, score, side="left"))
        through = int(np.searchsorted(self._reference, score, side="right"))
        rank = (below + through + 1) / 2 / (len(self._reference) + 1)
        stakes = (1 - JUMP) * self._stakes + JUMP * self.wealth / len(BETS)
        self._stakes = stakes * (1 + BETS * (rank - 0.5))
