"""Requests under way hold their name open; a name closes when it is idle, and opens again."""

from __future__ import annotations

import threading
import time

import pytest

from lifelong.core import NothingFound
from lifelong.serving.in_flight import InFlight


def test_a_name_closes_after_its_last_request() -> None:
    flying, order = InFlight(linger=0.05), []
    entered, leave = threading.Event(), threading.Event()

    def ask() -> None:
        with flying.request(lambda: "a"):
            entered.set()
            leave.wait(5)
            order.append("answered")

    asking = threading.Thread(target=ask)
    asking.start()
    assert entered.wait(5)
    closing = threading.Thread(target=lambda: (flying.close("a"), order.append("closed")))
    closing.start()
    time.sleep(0.1)
    assert order == []
    leave.set()
    asking.join(5)
    closing.join(5)
    assert order == ["answered", "closed"]
    assert flying.is_closed("a")
    with pytest.raises(NothingFound, match="retired"), flying.request(lambda: "a"):
        pass
    flying.open("a")
    with flying.request(lambda: "a") as name:
        assert name == "a"


def test_a_switch_waits_for_the_old_name_and_never_for_the_new_one() -> None:
    flying, route = InFlight(linger=0.01), {"now": "old"}
    entered, leave = threading.Event(), threading.Event()

    def ask() -> None:
        with flying.request(lambda: route["now"]):
            entered.set()
            leave.wait(5)

    threading.Thread(target=ask).start()
    assert entered.wait(5)
    switched = threading.Event()
    threading.Thread(target=lambda: (flying.switch(lambda: route.update(now="new"), "old"), switched.set())).start()
    time.sleep(0.05)
    assert not switched.is_set()
    with flying.request(lambda: route["now"]) as name:
        assert name == "new"
    leave.set()
    assert switched.wait(5)


def test_an_error_ends_the_request_all_the_same() -> None:
    flying = InFlight(linger=0.0)
    with pytest.raises(ZeroDivisionError), flying.request(lambda: "a"):
        raise ZeroDivisionError
    flying.close("a")
    assert flying.is_closed("a")
