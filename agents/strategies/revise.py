"""Answers that the environment refuses are written anew in sight of what was refused and why."""

from __future__ import annotations

from .retry import RetryStrategy
from .rollout import Rollout


class ReviseStrategy(RetryStrategy):
    """`RetryStrategy` that shows the refused answers and the executor's messages, whatever the environment's `history` shows.

    For models that can read why they failed (Chen et al. 2024, "Teaching Large Language Models to Self-Debug",
    https://arxiv.org/abs/2304.05128, section 3); a small one tends to repeat what it sees, and `repair` suits it better.
    """

    def answers_itself(self, rollout: Rollout) -> bool:
        """Show the run as it stands from the first refusal on; the model answers."""
        if rollout.error() and rollout.refusals < rollout.attempts:
            rollout.history = "full"
        return False
