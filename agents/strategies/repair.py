"""Answers that the environment refuses are repaired where it names candidates, else written anew."""

from __future__ import annotations

from dataclasses import replace

from ...core import Action
from ...envs.results import read_choices
from .retry import RetryStrategy
from .rollout import Rollout

MAX_REPAIRS = 2
"""Most repairs of one run; an answer wrong in more names is better written anew."""


class RepairStrategy(RetryStrategy):
    """`RetryStrategy` that tries repairs first: the environment lists candidates, the model's likelihood picks one.

    Candidates come from the environment's `repair_candidates`, where it has that method (see `envs.Environment`).
    """

    def answers_itself(self, rollout: Rollout) -> bool:
        """Repair an answer that was just refused, where that can be done; whether it was."""
        error, repair_candidates = rollout.error(), getattr(rollout.environment, "repair_candidates", None)
        if not error or rollout.repairs == MAX_REPAIRS or repair_candidates is None:
            return False
        answer = next(step.text for step in reversed(rollout.steps) if isinstance(step, Action))
        options = rollout.guarded(lambda: read_choices(repair_candidates(answer, error, rollout.job.task)))
        if not options:
            return rollout.done
        choice = self._engine.choose(replace(rollout.request(), choices=(), temperature=0.0), options)
        rollout.repairs += 1
        rollout.advance(options[choice.index], choice.usage, choice.logprobs[choice.index])
        return True
