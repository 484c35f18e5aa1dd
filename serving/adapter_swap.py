"""What a change of adapters does to the clients that keep asking meanwhile."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event, Lock

from ..core import Adapter
from .engine import ChatRequest, Engine


@dataclass(frozen=True, kw_only=True)
class HotSwap:
    """One change of adapters under load."""

    answers: tuple[tuple[str, str], ...]
    """Adapter asked and reply, in the order in which the replies came."""
    failures: tuple[str, ...]
    """Messages of the requests that failed."""
    seconds_to_answer: float
    """From the adapter's files on disk to the first reply that it wrote."""
    seconds_to_publish: float
    """The part of it until the engine had loaded the adapter."""
    seconds_to_retire: float
    """How long the old adapter's last requests took."""
    seconds: float
    """The whole change, with all clients asking."""


@dataclass
class _Clients:
    """Clients that keep asking the live adapter until `stop` is set."""

    engine: Engine
    request: ChatRequest
    live: str
    stop: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)
    answers: list[tuple[str, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def ask(self) -> None:
        while not self.stop.is_set():
            name = self.live
            try:
                text = self.engine.chat([replace(self.request, adapter=name)])[0].text
            except Exception as error:  # what fails is what is measured here
                with self.lock:
                    self.failures.append(f"{name}: {error}")
            else:
                with self.lock:
                    self.answers.append((name, text))

    def wait_for(self, name: str, count: int) -> None:
        while sum(asked == name for asked, _ in self.answers) < count and len(self.failures) < 100:
            time.sleep(0.005)


def hot_swap(engine: Engine, old: str, new: Adapter, request: ChatRequest, *, clients: int = 8, rounds: int = 2) -> HotSwap:
    """Publish `new` and retire `old` while `clients` threads keep sending `request` to whichever is live.

    Each version answers at least `clients * rounds` times. A request that raced with the change fails when an engine retires
    too early; it belongs to `failures`.
    """
    asking = _Clients(engine, request, old)
    begun = time.perf_counter()
    with ThreadPoolExecutor(max_workers=clients) as pool:
        threads = [pool.submit(asking.ask) for _ in range(clients)]
        try:
            asking.wait_for(old, clients * rounds)
            start = time.perf_counter()
            engine.publish(new)
            published = time.perf_counter()
            asking.live = new.name
            asking.wait_for(new.name, 1)
            answered = time.perf_counter()
            engine.retire(old)
            retired = time.perf_counter()
            asking.wait_for(new.name, clients * rounds)
        finally:
            asking.stop.set()
        for thread in threads:
            thread.result()
    return HotSwap(
        answers=tuple(asking.answers),
        failures=tuple(asking.failures),
        seconds_to_answer=answered - start,
        seconds_to_publish=published - start,
        seconds_to_retire=retired - answered,
        seconds=time.perf_counter() - begun,
    )
