"""When a navigator declines: goals that it was never taught, and episodes that are not going to succeed.

Both are read from features while the episode runs, and both thresholds are set in validation scenes. Who asks instead of trying on is a
selective predictor (El-Yaniv and Wiener 2010, "On the Foundations of Noise-free Selective Classification",
https://www.jmlr.org/papers/v11/el-yaniv10a.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .early_stop import EarlyStop
from .goal_novelty import GoalNovelty
from .navigator import Navigator
from .traces import EpisodeTrace, StepReading
from .trajectories import Trajectory

FIRST_STEPS = 5
"""Steps of an episode that its goal is recognised by."""
FURTHER_SCENES = 1000
"""Added to a seed for scenes that no stage was taught, gated or scored in."""

DeclineReason = Literal["unknown goal", "unlikely to succeed"]
"""Why an episode is declined."""


@dataclass(frozen=True, kw_only=True)
class Decline:
    """An episode that the navigator does not go on with."""

    reason: DeclineReason
    """Why."""
    text: str
    """The same as a sentence, with what was measured."""


@dataclass(frozen=True, kw_only=True)
class Abstention:
    """What a navigator declines. Without any statistics of goals it has learned none, and declines every one before the first action."""

    goals: GoalNovelty | None = None
    """Statistics of taught goals' first steps, with a threshold."""
    early_stop: EarlyStop | None = None
    """The chance of success with a threshold; None where too few episodes of either end were seen."""

    def begin(self, categories: Sequence[str]) -> AbstentionWatch:
        """Watch N episodes that begin now, each with its goal's category."""
        return AbstentionWatch(self, categories)

    def declined(self, trace: EpisodeTrace) -> tuple[int, Decline] | None:
        """The action, counted from 0, before which an episode that ran to its end would have been declined, and why; None for none."""
        watch = self.begin([trace.result.measures.category])
        for step in range(trace.result.steps):
            [declined] = watch.after(trace.aligned[step : step + 1], trace.temporal[step : step + 1])
            if declined is not None:
                return step, declined
        return None


class AbstentionWatch:
    """Episodes that run side by side: their steps so far, as far as declining needs them."""

    def __init__(self, abstention: Abstention, categories: Sequence[str]) -> None:
        self._abstention, self._categories = abstention, categories
        self._first: list[NDArray[np.floating]] = []
        self._steps = 0

    def read(self, reading: StepReading) -> list[Decline | None]:
        """As `after`, of what the network made of the step."""
        return self.after(reading.aligned, reading.temporal)

    def after(self, aligned: NDArray[np.floating], temporal: NDArray[np.floating]) -> list[Decline | None]:
        """Which of N episodes to decline before their next action, given that step's features `(N, D)`."""
        self._steps += 1
        goals, early_stop = self._abstention.goals, self._abstention.early_stop
        if goals is None:
            return [_unknown(f"{name}; no goal was taught yet") for name in self._categories]
        found: list[Decline | None] = [None] * len(aligned)
        if early_stop is not None:
            for place in np.flatnonzero(early_stop.stops(aligned, temporal, self._steps)).tolist():
                found[place] = Decline(
                    reason="unlikely to succeed",
                    text=f"unlikely to succeed: the chance fell below {early_stop.threshold:.3f} after {self._steps - 1} actions",
                )
        if self._steps <= FIRST_STEPS:
            self._first.append(aligned)
        if self._steps == FIRST_STEPS:
            novelty = goals.novelty(list(np.stack(self._first, 1)))
            for place in np.flatnonzero(goals.refuses(novelty)).tolist():
                measured = f"its novelty is {novelty[place] / goals.threshold:.2g} times what 95 % of taught goals stay below"
                found[place] = _unknown(f"{self._categories[place]} was never taught; {measured}")
        return found


def fit_abstention(
    checkpoints: Sequence[Navigator], stages: Sequence[Sequence[Trajectory]], *, seed: int, watched: int, held_out: int
) -> Abstention:
    """What the last of some checkpoints declines, from what its stages were learned from. Same arguments, same thresholds.

    `checkpoints` are the navigators before the first stage and after each of `stages`. The chance of success is learned from `watched`
    episodes in training scenes, both thresholds are set on `held_out` ones in validation scenes, all of taught categories and with a
    further seed. Raises `ValueError` where there is not one checkpoint more than there are stages.
    """
    if len(checkpoints) != len(stages) + 1:
        raise ValueError(f"{len(stages)} stages need {len(stages) + 1} checkpoints, the untaught one first; got {len(checkpoints)}")
    navigator, goals = checkpoints[-1], GoalNovelty()
    if not navigator.taught:
        return Abstention()
    for checkpoint, trajectories in zip(checkpoints[1:], stages, strict=True):
        # A stage whose only category was forgotten taught nothing.
        goals = goals.after(checkpoint, trajectories, steps=FIRST_STEPS) if trajectories else goals
    environment = navigator.modality.environment(navigator.taught)
    validation = navigator.trace(environment, environment.tasks("validation", held_out, seed=seed + FURTHER_SCENES))
    training = navigator.trace(environment, environment.tasks("train", watched, seed=seed + FURTHER_SCENES))
    goals = goals.calibrate(goals.novelty([one.aligned[:FIRST_STEPS] for one in validation]))
    if len({one.result.success for one in training}) < 2:
        return Abstention(goals=goals)
    return Abstention(goals=goals, early_stop=EarlyStop(training).calibrate(validation))


def _unknown(text: str) -> Decline:
    return Decline(reason="unknown goal", text=f"unknown goal: {text}")
