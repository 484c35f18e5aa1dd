"""Runs of agents that are not driven here: over several requests (`Runs`), or as a block of code (`RunContext`)."""

from __future__ import annotations

from .context import AsyncRun, RunContext
from .run import OpenRun, correction_text, outcome_of
from .runs import Runs, Session, newest_sessions, session_episodes

__all__ = ["AsyncRun", "OpenRun", "RunContext", "Runs", "Session", "correction_text", "newest_sessions", "outcome_of", "session_episodes"]
