"""What an environment's action brought about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ActionResult:
    """What an action brought about."""

    text: str
    """The next observation."""
    reward: float = 0.0
    """The score, in [0, 1]."""
    done: bool = False
    """Whether the episode has ended by itself."""
    success: bool = False
    """Whether the task is solved."""
    error: bool = False
    """Whether the action was refused."""
