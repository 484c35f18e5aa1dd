"""Nights over HTTP: begun without waiting, and asked for by id."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict
from typing import Any, Protocol

from ...core import NothingFound, redact
from ...orchestrator.run_state import Night, NightState
from .workers import Overloaded

MOST_NIGHTS = 16
"""Nights that may run or wait at once, over all tenants: each holds a thread."""


class Sleeper(Protocol):
    """What nights over HTTP need of `LifelongLearner`."""

    def start_sleep(self, *, tenant: str = "default") -> str:
        """Begin a night in the background, or name the tenant's night that runs already."""

    def night(self, id: str, *, tenant: str = "default") -> Night:
        """How a night stands. Raises `NothingFound` for one that the tenant never had."""


class NightRequests:
    """The nights that this gateway has begun. Thread-safe."""

    def __init__(self, learner: Sleeper) -> None:
        self._learner = learner
        self._begun: dict[str, str] = {}  # tenant by night
        self._lock = threading.Lock()

    def begin(self, tenant: str) -> tuple[int, dict[str, Any]]:
        """202 and a new night, or 200 and the tenant's night that runs already. Raises `Overloaded` where too many run."""
        with self._lock:
            running = {id: owner for id, owner in self._begun.items() if self._runs(id, owner)}
            self._begun = running
            if len(running) >= MOST_NIGHTS and tenant not in running.values():
                raise Overloaded(f"{len(running)} nights run or wait already; try again later")
            asked = time.time()
            id = self._learner.start_sleep(tenant=tenant)
            new = id not in running
            self._begun[id] = tenant
        night = self._learner.night(id, tenant=tenant)
        return (202 if new and night.started >= asked else 200), shown(night)

    def find(self, id: str, tenant: str) -> dict[str, Any]:
        """How a night stands. Raises `NothingFound` for one that the tenant never had."""
        return shown(self._learner.night(id, tenant=tenant))

    def _runs(self, id: str, tenant: str) -> bool:
        try:
            return self._learner.night(id, tenant=tenant).state is NightState.RUNNING
        except NothingFound:  # ended long ago, or erased with its tenant
            return False


def shown(night: Night) -> dict[str, Any]:
    """A night as clients see it: nothing of this machine."""
    values = {name: value for name, value in asdict(night).items() if name not in ("pid", "host")}
    return values | {"state": night.state.value, "reason": redact(night.reason)}
