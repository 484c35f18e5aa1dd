"""A small episode for checks and tests to record."""

from __future__ import annotations

from ..core import Action, Episode, Judge, Observation, Outcome, Task


def example_episode(number: int, *, tenant: str = "default", skill: str = "counting", success: bool = True) -> Episode:
    """A small episode that differs by its number."""
    task = Task(id=f"task-{number}", goal=f"How many rows has table {number}?", tenant=tenant, environment="check")
    steps = (Observation(text=task.goal), Action(text=f"SELECT count(*) FROM t{number}"))
    outcome = Outcome(success=success, score=float(success), judge=Judge.ENVIRONMENT)
    return Episode(id=f"{tenant}-{number}", task=task, steps=steps, outcome=outcome, skill=skill, created=float(number))
