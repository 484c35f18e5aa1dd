"""What a night does for a skill, chosen from what there is to learn from, in one sentence that people read.

An expert's answers come before anything that the agent finds by itself, as in imitation learning (Ross, Gordon and Bagnell 2011, "A
Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning", https://arxiv.org/abs/1011.0686).
"""

from __future__ import annotations

from dataclasses import dataclass

TRAINING_SHARE = 0.5
"""Share of the seconds left to the night that training on exercises may take; the rest is for attempts and the gate."""


@dataclass(frozen=True, kw_only=True)
class SkillSituation:
    """What there is to learn a skill from."""

    corrections: int
    """Failed tasks of which somebody gave the right answer."""
    wins: int
    """The agent's own verified runs."""
    failures: int
    """Failed tasks that nobody corrected."""
    exercises: bool
    """Whether the environment makes exercises."""
    adapter: bool
    """Whether an adapter serves the skill, so that attempts have a chance."""
    seconds_left: float
    """Seconds of the night's budget."""
    sample_seconds: float
    """Seconds that training takes for one pass over one sample."""


@dataclass(frozen=True, kw_only=True)
class NightPlan:
    """What the night does beside learning from verified runs and corrections."""

    attempts: int
    """Samples for each failed task; 0: none is attempted again."""
    exercises: int
    """Most exercises that are practised."""
    reason: str
    """Why, in one sentence."""


def plan_night(situation: SkillSituation, *, mode: str, exercises: int, attempts: int) -> NightPlan:
    """A night's plan: right answers first; without them own wins, new attempts once an adapter has a chance, and practice.

    `mode`, `exercises` and `attempts` are the settings `sleep.practice`, `sleep.exercises` and `sleep.attempts`.

    >>> much = SkillSituation(corrections=0, wins=1, failures=95, exercises=True, adapter=False, seconds_left=3600, sample_seconds=1.0)
    >>> plan_night(much, mode="auto", exercises=600, attempts=4)
    NightPlan(attempts=0, exercises=600, reason='no corrections, 1 verified run, 95 failed tasks: practice with up to 600 exercises')
    """
    counts = ", ".join(
        (
            _count(situation.corrections, "correction"),
            _count(situation.wins, "verified run"),
            _count(situation.failures, "failed task"),
        )
    )
    practise = situation.exercises and (mode == "always" or (mode == "auto" and not situation.corrections))
    # A night without a budget has infinitely many seconds left.
    affordable = max(0.0, TRAINING_SHARE * situation.seconds_left / max(situation.sample_seconds, 1e-6))
    wanted = int(min(exercises, affordable)) if practise else 0
    again = attempts if situation.adapter and situation.failures and not situation.corrections else 0
    does = [f"{again} attempts at each failed task"] if again else []
    if wanted:
        does.append(f"practice with up to {wanted} exercises")
    elif practise and exercises:
        does.append("no practice, the night's budget of seconds is too short for it")
    return NightPlan(attempts=again, exercises=wanted, reason=f"{counts}: {' and '.join(does) or 'learning from what is verified'}")


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
