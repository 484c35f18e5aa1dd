"""Work that nobody waits for ends where it looks."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from lifelong.core import Cancelled, cancellation, cancelled_by, check_cancelled


def test_work_goes_on_until_its_event_is_set() -> None:
    check_cancelled()
    event = Event()
    with cancelled_by(event):
        assert cancellation() is event
        check_cancelled()
        event.set()
        with pytest.raises(Cancelled, match="nobody waits"):
            check_cancelled()
    assert cancellation() is None
    check_cancelled()


def test_a_thread_is_cancelled_by_its_own_event_or_one_that_it_is_given() -> None:
    event, seen = Event(), []
    event.set()
    with cancelled_by(event):
        thread = Thread(target=lambda: seen.append(cancellation()))
        thread.start()
        thread.join()
    assert seen == [None]
    with pytest.raises(Cancelled):
        check_cancelled(event)
