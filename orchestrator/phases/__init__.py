"""The phases of sleep, in their order. A new one is one file and one line here."""

from __future__ import annotations

from .compress import Compress
from .consolidate import Consolidate
from .discover import Discover
from .gate import Gate
from .phase import NightContext, NightStopped, OutOfTime, Phase, Progress, Scope, Work
from .publish import Publish
from .refit import RefitHead
from .reflect import Reflect

PHASES: tuple[Phase, ...] = (Discover(), Reflect(), Consolidate(), Gate(), Publish(), Compress(), RefitHead())
"""Phases of the tenant before the first and after the last phase of a skill run once a night; those between run skill by skill."""

__all__ = ["PHASES", "NightContext", "NightStopped", "OutOfTime", "Phase", "Progress", "Scope", "Work"]
