"""Bounded pools of threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from lifelong.interfaces.gateway.workers import MOST_WAITING_BYTES, Overloaded, Workers


def test_more_than_may_wait_are_refused_at_once_and_taken_again_later() -> None:
    async def scenario() -> None:
        workers, release = Workers("test", running=1, waiting=1), threading.Event()
        calls = [asyncio.ensure_future(workers.call(release.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        assert workers.full
        with pytest.raises(Overloaded, match="2 requests"):
            await workers.call(lambda: True)
        release.set()
        assert await asyncio.gather(*calls) == [True, True]
        assert (workers.active, workers.refused, await workers.call(lambda: 7)) == (0, 1, 7)
        workers.close()

    asyncio.run(scenario())


def test_waiting_requests_hold_bounded_memory() -> None:
    async def scenario() -> None:
        workers, release = Workers("test", running=1, waiting=100), threading.Event()
        calls = [asyncio.ensure_future(workers.call(release.wait, MOST_WAITING_BYTES // 2)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await workers.call(lambda: True, 1)
        release.set()
        await asyncio.gather(*calls)
        assert await workers.call(lambda: True, 2 * MOST_WAITING_BYTES)
        workers.close()

    asyncio.run(scenario())


def test_an_error_gives_the_place_back() -> None:
    async def scenario() -> None:
        workers = Workers("test", running=1, waiting=0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await workers.call(lambda: 1 // 0)
        workers.close()

    asyncio.run(scenario())
