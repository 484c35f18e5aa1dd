"""The world of the tickets: what its tools know, and when it is solved."""

from __future__ import annotations

import random

from lifelong.envs.tools.environment import TicketEnvironment
from lifelong.envs.tools.tickets import draw_tickets


def test_a_task_takes_seven_or_eight_actions() -> None:
    environment = TicketEnvironment()
    lengths = {len(environment.demonstrate(task).actions) for task in environment.tasks("train", 40)}
    assert lengths == {7, 8}


def test_no_text_of_the_task_tells_tier_or_queue() -> None:
    tickets = draw_tickets(random.Random(3))
    for ticket in tickets.tickets:
        assert ticket.tier not in tickets.context + tickets.goal
        assert ticket.queue not in tickets.context + tickets.goal
