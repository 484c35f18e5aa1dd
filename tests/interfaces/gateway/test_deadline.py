"""Work beside a request: one deadline, few threads, and a breaker that opens and closes again."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from lifelong.interfaces.gateway import deadline as module
from lifelong.interfaces.gateway.deadline import FAILURES, MOST_BEGUN, Aside


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Whoever waits for it hangs until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def broken() -> int:
    raise ValueError("no memory")


async def results(aside: Aside, *calls: Callable[[], object]) -> list[object]:
    return [await aside.call(call) for call in calls]


def test_a_result_in_time_is_handed_back_and_a_failure_is_passed_over() -> None:
    aside = Aside(5.0)
    assert asyncio.run(results(aside, lambda: 7, broken, lambda: 8)) == [7, None, 8]
    assert (aside.missed, aside.failed, aside.skipped, aside.open) == (0, 1, 0, False)
    aside.close()


def test_nobody_waits_beyond_the_deadline(release: threading.Event) -> None:
    aside = Aside(0.05)
    assert asyncio.run(results(aside, release.wait)) == [None]
    assert aside.missed == 1
    aside.close()


def test_failures_in_a_row_open_the_breaker_and_one_call_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPEN_SECONDS", 0.2)
    aside, tried = Aside(5.0), []

    def counted() -> int:
        tried.append(1)
        return 1

    async def act() -> None:
        await results(aside, *[broken] * FAILURES)
        assert aside.open
        assert await aside.call(counted) is None
        assert not tried
        assert aside.skipped == 1
        await asyncio.sleep(0.25)
        assert await aside.call(counted) == 1
        assert not aside.open

    asyncio.run(act())
    aside.close()


def test_a_success_between_failures_keeps_it_closed() -> None:
    aside = Aside(5.0)
    asyncio.run(results(aside, *[broken] * (FAILURES - 1), lambda: 1, *[broken] * (FAILURES - 1)))
    assert not aside.open
    aside.close()


def test_where_many_hang_the_next_is_given_up_at_once(release: threading.Event) -> None:
    aside = Aside(5.0)

    async def act() -> None:
        hanging = [asyncio.ensure_future(aside.call(release.wait)) for _ in range(MOST_BEGUN)]
        await asyncio.sleep(0)
        assert await asyncio.wait_for(aside.call(lambda: 1), 1) is None
        assert aside.skipped == 1
        release.set()
        assert await asyncio.gather(*hanging) == [True] * MOST_BEGUN

    asyncio.run(act())
    aside.close()


def test_where_too_many_wait_the_next_is_not_begun_and_those_before_are_in_time() -> None:
    aside = Aside(0.3)

    async def act() -> list[object]:
        for _ in range(30):  # how long one takes is known then
            await aside.call(lambda: time.sleep(0.02))
        return await asyncio.gather(*(aside.call(lambda: time.sleep(0.02) or 1) for _ in range(60)))

    answers = asyncio.run(act())
    assert 10 < answers.count(1) < 60
    assert not aside.open
    assert aside.missed + aside.skipped == answers.count(None)
    assert aside.missed < 10 < aside.skipped
    aside.close()


def test_after_a_slow_spell_calls_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPEN_SECONDS", 0.0)
    aside = Aside(0.05)

    async def act() -> None:
        for _ in range(5):
            assert await aside.call(lambda: time.sleep(0.2)) is None
            await asyncio.sleep(0.2)
        assert await aside.call(lambda: 1) == 1

    asyncio.run(act())
    aside.close()
