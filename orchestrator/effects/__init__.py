"""The running experiment: which arm a session is in, what memory and adapters do there, and what does harm is withdrawn."""

from __future__ import annotations

from .arms import Arm, arm_of, is_placebo, placebo_of
from .review import Effects, LessonEffect, effects_of, is_withdrawn, restore, review

__all__ = ["Arm", "Effects", "LessonEffect", "arm_of", "effects_of", "is_placebo", "is_withdrawn", "placebo_of", "restore", "review"]
