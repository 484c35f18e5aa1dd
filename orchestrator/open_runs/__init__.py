"""Runs of agents that are not driven here: over several requests (`Runs`), or as a block of code (`RunContext`)."""

from __future__ import annotations

from .context import AsyncRun, RunContext
from .runs import OpenRun, Runs, Session, correction_text, outcome_of

__all__ = ["AsyncRun", "OpenRun", "RunContext", "Runs", "Session", "correction_text", "outcome_of"]
