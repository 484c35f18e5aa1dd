"""Runs of agents that are not driven here: over several requests (`Runs`), or as a block of code (`RunContext`)."""

from __future__ import annotations

from .context import AsyncRun, RunContext
from .run import OpenRun, correction_text, outcome_of
from .runs import Runs, Session

__all__ = ["AsyncRun", "OpenRun", "RunContext", "Runs", "Session", "correction_text", "outcome_of"]
