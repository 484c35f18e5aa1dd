"""Nights in the background: begun without waiting, asked for by id, stopped when the learner is closed and taken up again later."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..core import NothingFound
from ..envs import Environment
from .components import Components, log
from .phases import NightStopped, Progress
from .run_state import Night, NightState, SleepReport
from .sleep import sleep

KEPT = 100
"""Ended nights of a tenant that can still be asked for."""
WAITING = "waiting"
"""What a night does before its first phase, while another night runs."""


class Nights:
    """All nights that one learner begins. Thread-safe; one tenant has at most one night at a time in a process."""

    def __init__(
        self, components: Components, environments: Mapping[str, Environment], before: Callable[[str], object] = lambda tenant: None
    ) -> None:
        """`before` is called with the tenant when its night begins; a night in which it fails goes on."""
        self._components = components
        self._before = before
        self._environments = environments
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._running: dict[str, tuple[str, threading.Thread]] = {}

    def start(self, tenant: str) -> Night:
        """Begin a night in the background, or return the tenant's night that is running already in this process."""
        with self._lock:
            known = self._running.get(tenant)
            if known and known[1].is_alive():
                return self.get(known[0], tenant)
            night = self._begin(tenant)
            thread = threading.Thread(target=self._in_background, args=(night,), name=f"lifelong night {night.id}", daemon=True)
            self._running[tenant] = (night.id, thread)
            thread.start()
        return night

    def run(self, tenant: str, skills: Sequence[str] = (), progress: Progress | None = None) -> list[SleepReport]:
        """A night from its beginning to its end; waits for one that is running. Raises what goes wrong outside any skill's night."""
        reports, _ = self._run(self._begin(tenant), skills, progress)
        return reports

    def get(self, id: str, tenant: str) -> Night:
        """How a night stands. Raises `NothingFound` for one that this tenant never had, or had long ago."""
        night = self._components.record.state.get(Night, tenant=tenant, id=id)
        if night is None:
            raise NothingFound(f"tenant {tenant!r} has no night {id!r}")
        return as_seen(night)

    def last(self, tenant: str) -> Night | None:
        """The tenant's newest night."""
        nights = self._components.record.state.find(Night, tenant=tenant)
        return as_seen(max(nights, key=lambda night: night.started)) if nights else None

    def wait(self, seconds: float | None = None) -> None:
        """Wait until no night of this learner is running, or for so many seconds."""
        deadline = None if seconds is None else time.monotonic() + seconds
        for _, thread in list(self._running.values()):
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def stop(self, seconds: float) -> None:
        """Ask the nights in the background to end at their next step, and wait for it; what they had begun goes on another time."""
        self._stop.set()
        self.wait(seconds)

    def _begin(self, tenant: str) -> Night:
        store = self._components.record.state
        night = Night(tenant=tenant, id=uuid.uuid4().hex, pid=os.getpid(), host=socket.gethostname(), started=time.time(), phase=WAITING)
        with self._components.record.transaction():
            for old in sorted(store.find(Night, tenant=tenant), key=lambda one: -one.started)[KEPT - 1 :]:
                store.delete(Night, tenant=tenant, id=old.id)
            store.put(night)
        return night

    def _in_background(self, night: Night) -> None:
        try:
            self._run(night, (), None)
        except NightStopped:
            log.info("the night of tenant %r was stopped; it goes on the next time", night.tenant)
        except Exception as error:
            self._components.note_fault("sleep", error)

    def _run(self, night: Night, skills: Sequence[str], progress: Progress | None) -> tuple[list[SleepReport], Night]:
        store = self._components.record.state

        def ended(**values: Any) -> Night:
            return replace(night, ended=time.time(), **values)

        def report(phase: str, done: int, total: int) -> None:
            nonlocal night
            if phase != night.phase:
                night = replace(night, phase=phase)
                self._components.guarded("sleep", partial(store.put, night), None)
            if progress:
                progress(phase, done, total)

        try:
            for old in store.find(Night, tenant=night.tenant):
                if old.id != night.id and as_seen(old) is not old:
                    store.put(replace(as_seen(old), ended=time.time(), reason=f"{as_seen(old).reason}; night {night.id} takes it up"))
            self._components.guarded("sleep", partial(self._before, night.tenant), None)
            reports = sleep(
                self._components,
                self._environments,
                tenant=night.tenant,
                skills=skills,
                progress=report,
                stopping=self._stop.is_set,
            )
        except NightStopped:
            store.put(ended(state=NightState.FAILED, reason="stopped, since the learner was closed; the next night goes on from there"))
            raise
        except BaseException as error:
            failed = ended(state=NightState.FAILED, reason=f"{type(error).__name__}: {error}")
            self._components.guarded("sleep", partial(store.put, failed), None)
            raise
        night = ended(phase="", **self._summary(night.tenant, reports))
        store.put(night)
        return reports, night

    def _summary(self, tenant: str, reports: Sequence[SleepReport]) -> dict[str, Any]:
        order = (NightState.PUBLISHED, NightState.FAILED, NightState.REJECTED, NightState.NOTHING_TO_LEARN)
        state = min((report.state for report in reports), key=order.index, default=NightState.NOTHING_TO_LEARN)
        reason = "; ".join(report.reason for report in reports) or self._missing(tenant)
        return {"state": state, "reason": reason, "reports": tuple(report.number for report in reports)}

    def _missing(self, tenant: str) -> str:
        """What each skill lacks, where none is due."""
        components, least = self._components, self._components.settings.sleep.min_episodes
        have = {skill: components.record.state.new_episodes(tenant, skill) for skill in components.skills(tenant)}
        if not have:
            return "nothing is recorded under any skill yet"
        return "; ".join(f"{new} new trainable episodes of {skill!r}, {least} are needed" for skill, new in have.items())


def as_seen(night: Night) -> Night:
    """A night as it stands: the night itself, or as failed where it is said to be running and its process is gone."""
    if night.state is not NightState.RUNNING or night.host != socket.gethostname() or _is_alive(night.pid):
        return night
    return replace(night, state=NightState.FAILED, reason=f"process {night.pid} ended before the night did")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
