"""A strategy of somebody else: one answer for each action, and none again."""

from __future__ import annotations

from lifelong.agents.strategies.direct import DirectStrategy


class CalmStrategy(DirectStrategy):
    """As `direct`."""
