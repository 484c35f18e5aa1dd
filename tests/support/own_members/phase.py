"""A phase of sleep that writes down how many episodes a tenant has."""

from __future__ import annotations

from lifelong.orchestrator.phases import NightContext, Scope, Work


class CountEpisodes:
    """Keep the count in the home, as `TENANT.count`."""

    name = "count"
    scope = Scope.TENANT

    def due(self, night: NightContext, work: Work) -> bool:
        return night.components.record.episodes.count(tenant=night.tenant) > 0

    def run(self, night: NightContext, work: Work) -> Work:
        count = night.components.record.episodes.count(tenant=night.tenant)
        (night.components.settings.home / f"{night.tenant}.count").write_text(str(count))
        return work
