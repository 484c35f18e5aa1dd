"""Tickets as an environment: contract, refusals, scores, calls and the menu."""

from __future__ import annotations

import random

import pytest

from lifelong.checks import check_environment
from lifelong.core import reply_text, tool_call
from lifelong.envs import Environment, make_environment
from lifelong.envs.tools.environment import TicketEnvironment, TicketMenuEnvironment
from lifelong.envs.tools.tickets import HelpDesk, draw_tickets


@pytest.mark.parametrize("make", [TicketEnvironment, TicketMenuEnvironment])
def test_it_fulfils_the_contract(make: type[Environment]) -> None:
    check_environment(make(), count=3)


def test_it_is_found_by_name_and_version() -> None:
    assert isinstance(make_environment("tickets-menu-v1"), TicketMenuEnvironment)
    assert make_environment("tickets").id == "tickets-v1"


def test_what_the_tools_do_not_know_is_refused_and_changes_nothing() -> None:
    desk = HelpDesk(task=draw_tickets(random.Random(3)))
    first = desk.task.tickets[0]
    for tool, argument in (
        ("lookup_customer", "C1"),
        ("search_kb", "coffee"),
        ("set_priority", f"{first.number} P9"),
        ("route", f"{first.number} nowhere"),
        ("route", "T1 network-1"),
        ("close", first.number),
        ("", ""),
    ):
        assert desk.call(tool, argument) is None
    assert (desk.priority, desk.routed, desk.right) == ({}, {}, 0)


def test_a_ticket_in_the_wrong_queue_or_without_priority_does_not_count() -> None:
    environment = TicketEnvironment()
    [task] = environment.tasks("train", 1)
    actions = environment.demonstrate(task).actions
    environment.reset(options={"task": task})
    results = [environment.step(action) for action in actions if not action.startswith("set_priority") or action == actions[2]]
    _, reward, terminated, _, info = results[-1]
    assert (reward, terminated, info["success"]) == (0.5, True, False)


def test_a_call_is_taken_as_a_command() -> None:
    environment = TicketEnvironment()
    [task] = environment.tasks("train", 1)
    environment.reset(options={"task": task})
    customer = environment.demonstrate(task).actions[0].split()[1]
    text = reply_text("", [tool_call("lookup_customer", {"customer": customer}, "x")])
    assert environment.step(text)[0].startswith(f"{customer}: tier")
    assert environment.step(reply_text("", [tool_call("route", "not json", "x")]))[4]["error"]


def test_the_menu_holds_what_can_be_done_and_nothing_else() -> None:
    environment = TicketMenuEnvironment()
    [task] = environment.tasks("train", 1)
    environment.reset(options={"task": task})
    for action in environment.demonstrate(task).actions:
        desk = environment._desk
        twin = HelpDesk(task=desk.task, priority=dict(desk.priority), routed=dict(desk.routed))
        for choice in environment.admissible():
            assert HelpDesk(task=twin.task, routed=dict(twin.routed)).call(*choice.split(" ", 1)) is not None
        environment.step(action)
    assert environment.admissible() == ()
