"""Refit: the head that names skills is trained on all that is recorded."""

from __future__ import annotations

from .phase import NightContext, Scope, Work


class RefitHead:
    """Refit the tenant's skill head; where that fails, the closed form serves on."""

    name = "refit"
    scope = Scope.TENANT

    def due(self, night: NightContext, work: Work) -> bool:
        return True

    def run(self, night: NightContext, work: Work) -> Work:
        night.components.guarded("refit", lambda: night.components.perceiver(night.tenant).refit(), None)
        return work
