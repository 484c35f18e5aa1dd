"""Profile: what is known of a person is chosen anew from what was said."""

from __future__ import annotations

from ...memory import write_profile
from .phase import NightContext, Scope, Work


class WriteProfile:
    """Index what waits, and choose the tenant's profile; where that fails, the one before stays."""

    name = "profile"
    scope = Scope.TENANT

    def due(self, night: NightContext, work: Work) -> bool:
        return night.components.settings.memory.profile_tokens > 0

    def run(self, night: NightContext, work: Work) -> Work:
        night.components.guarded("profile", lambda: self._write(night), None)
        return work

    def _write(self, night: NightContext) -> None:
        night.components.turns.finish()
        write_profile(night.components.record, night.tenant)
