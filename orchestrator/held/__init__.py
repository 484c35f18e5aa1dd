"""What is held of a person, one thing at a time: described, edited, pinned, forgotten."""

from __future__ import annotations

from .change import edit, forget_saying, pin
from .describe import Held, describe

__all__ = ["Held", "describe", "edit", "forget_saying", "pin"]
