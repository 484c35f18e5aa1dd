"""The phases of sleep, in their order. A new one is one file and one line in `MEMBERS`, where it is due."""

from __future__ import annotations

from ...core.plugins import load_table
from .phase import NightContext, NightStopped, OutOfTime, Phase, Progress, Scope, Work

MEMBERS = {
    "discover": "discover:Discover",
    "reflect": "reflect:Reflect",
    "plan": "plan:PlanNight",
    "attempt": "attempt:Attempt",
    "practise": "practise:Practise",
    "consolidate": "consolidate:Consolidate",
    "gate": "gate:Gate",
    "publish": "publish:Publish",
    "compress": "compress:Compress",
    "refit": "refit:RefitHead",
    "profile": "profile:WriteProfile",
    "recall": "recall:LearnRecall",
}
"""Phases by name, in the order of a night; each is made without arguments."""

PHASES: tuple[Phase, ...] = tuple(make() for make in load_table(__name__, MEMBERS))
"""Phases of the tenant before the first and after the last phase of a skill run once a night; those between run skill by skill."""

__all__ = ["MEMBERS", "PHASES", "NightContext", "NightStopped", "OutOfTime", "Phase", "Progress", "Scope", "Work"]
