"""Compress: a tenant's episodes beyond the budget leave the record, their cues stay."""

from __future__ import annotations

from ...memory import compress
from .phase import NightContext, Scope, Work


class Compress:
    """Keep the tenant's episodes inside the budget of the settings."""

    name = "compress"
    scope = Scope.TENANT

    def due(self, night: NightContext, work: Work) -> bool:
        return night.components.record.episodes.count(tenant=night.tenant) > night.components.settings.memory.max_episodes

    def run(self, night: NightContext, work: Work) -> Work:
        compress(night.components.record, night.tenant, night.components.settings.memory.max_episodes)
        return work
