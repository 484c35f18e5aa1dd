"""An oracle for the tickets: the next right command, from nothing but what the messages say."""

from __future__ import annotations

import re

from lifelong.core import text_of
from lifelong.serving import ChatRequest

PRIORITIES = {"gold": "P1", "silver": "P2", "basic": "P3"}


def next_command(request: ChatRequest) -> str:
    """`lookup_customer`, `search_kb`, `set_priority` and `route`, ticket by ticket, each only once its result has been read."""
    said = "\n".join(text_of(message) for message in request.messages)
    for ticket, customer, subject in re.findall(r"Ticket (T\d+) from (C\d+): (.+)", said):
        if f"{ticket}: routed" in said:
            continue
        tier, queue = re.search(rf"{customer}: tier (\w+)", said), re.search(rf"{subject}: queue (\S+)", said)
        if not tier:
            return f"lookup_customer {customer}"
        if not queue:
            return f"search_kb {subject}"
        if f"{ticket}: priority" not in said:
            return f"set_priority {ticket} {PRIORITIES[tier[1]]}"
        return f"route {ticket} {queue[1]}"
    return "nothing is left to do"
