"""A help desk: what the tickets say, and what its four tools know and do."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

PRIORITIES = {"gold": "P1", "silver": "P2", "basic": "P3"}
"""Tier of a customer to the priority of the customer's tickets."""
SUBJECTS = (
    "printer jam",
    "vpn drops",
    "invoice wrong",
    "login loop",
    "screen flickers",
    "refund missing",
    "mail bounces",
    "disk full",
    "badge expired",
    "headset silent",
)
QUEUES = ("hardware-1", "hardware-2", "network-1", "network-2", "billing-1", "billing-2", "identity-1", "storage-1")
TOOLS = ("lookup_customer", "search_kb", "set_priority", "route")
"""Names of the tools: `lookup_customer CUSTOMER`, `search_kb SUBJECT`, `set_priority TICKET PRIORITY`, `route TICKET QUEUE`."""


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """One ticket. Tier and queue stand in no text: only the tools tell them."""

    number: str
    """Such as `T481`."""
    customer: str
    """Such as `C1042`."""
    subject: str
    """What it is about."""
    tier: str
    """The customer's tier."""
    queue: str
    """Where it belongs."""

    @property
    def line(self) -> str:
        """The ticket as it is handed over."""
        return f"Ticket {self.number} from {self.customer}: {self.subject}"


@dataclass(frozen=True, kw_only=True)
class Tickets:
    """A task: the tickets of one shift."""

    tickets: tuple[Ticket, ...]
    """The tickets, in their order."""

    @property
    def context(self) -> str:
        """The tickets, one a line."""
        return "\n".join(ticket.line for ticket in self.tickets)

    @property
    def goal(self) -> str:
        """The request."""
        return "Give each ticket its priority, then route it to its queue: " + ", ".join(ticket.number for ticket in self.tickets) + "."

    @property
    def solution(self) -> tuple[str, ...]:
        """The expert's actions; a subject is searched for once."""
        actions: dict[str, None] = {}
        for ticket in self.tickets:
            actions[f"lookup_customer {ticket.customer}"] = None
            actions[f"search_kb {ticket.subject}"] = None
            actions[f"set_priority {ticket.number} {PRIORITIES[ticket.tier]}"] = None
            actions[f"route {ticket.number} {ticket.queue}"] = None
        return tuple(actions)


def draw_tickets(rng: random.Random, count: int = 2) -> Tickets:
    """Tickets of different customers; which queue a subject belongs to is drawn anew for each task, so that it has to be looked up."""
    queue_of = {subject: rng.choice(QUEUES) for subject in SUBJECTS}
    numbers, customers = rng.sample(range(100, 1000), count), rng.sample(range(1000, 2000), count)
    tickets: list[Ticket] = []
    for number, customer in zip(numbers, customers, strict=True):
        subject, tier = rng.choice(SUBJECTS), rng.choice(sorted(PRIORITIES))
        tickets.append(Ticket(number=f"T{number}", customer=f"C{customer}", subject=subject, tier=tier, queue=queue_of[subject]))
    return Tickets(tickets=tuple(tickets))


@dataclass
class HelpDesk:
    """The world of one episode."""

    task: Tickets
    priority: dict[str, str] = field(default_factory=dict)
    routed: dict[str, str] = field(default_factory=dict)

    def call(self, tool: str, argument: str) -> str | None:
        """What a tool says; None where it does not know what is asked."""
        match tool:
            case "lookup_customer":
                return next((f"{one.customer}: tier {one.tier}" for one in self.task.tickets if one.customer == argument), None)
            case "search_kb":
                return next((f"{one.subject}: queue {one.queue}" for one in self.task.tickets if one.subject == argument), None)
        number, _, value = argument.partition(" ")
        if number not in self.waiting:
            return None
        if tool == "set_priority" and value in PRIORITIES.values():
            self.priority[number] = value
            return f"{number}: priority {value}"
        if tool == "route" and value in QUEUES:
            self.routed[number] = value
            return f"{number}: routed to {value}"
        return None

    @property
    def waiting(self) -> list[str]:
        """Tickets that are not routed yet."""
        return [ticket.number for ticket in self.task.tickets if ticket.number not in self.routed]

    @property
    def right(self) -> int:
        """Tickets that are in their queue with their priority."""
        return sum(
            self.routed.get(one.number) == one.queue and self.priority.get(one.number) == PRIORITIES[one.tier] for one in self.task.tickets
        )

    def choices(self) -> tuple[str, ...]:
        """Every action that a tool would answer now."""
        asked = [
            *(f"lookup_customer {one.customer}" for one in self.task.tickets),
            *dict.fromkeys(f"search_kb {one.subject}" for one in self.task.tickets),
        ]
        done = [f"set_priority {number} {value}" for number in self.waiting for value in PRIORITIES.values()]
        return (*asked, *done, *(f"route {number} {queue}" for number in self.waiting for queue in QUEUES))
