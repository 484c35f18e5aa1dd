"""Discover: clusters of unknown tasks become skills."""

from __future__ import annotations

from ..discover import discover
from .phase import NightContext, Scope, Work


class Discover:
    """Look for new skills; one that fails is passed over and costs nothing but its discovery."""

    name = "discover"
    scope = Scope.TENANT

    def due(self, night: NightContext, work: Work) -> bool:
        return night.every_skill

    def run(self, night: NightContext, work: Work) -> Work:
        nothing: list[str] = []
        night.components.guarded("discovery", lambda: discover(night.components, night.tenant), nothing)
        return work
