"""An oracle for the tickets, and tickets whose world outlives an instance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

from lifelong.core import Task, text_of
from lifelong.envs.tools.environment import TicketEnvironment
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


class Outside(TicketEnvironment):
    """Its world is kept outside of the instance, under the task's id, as a database or a remote service would be."""

    worlds: dict[str, Any]
    done: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.worlds, self.done = {}, []

    def spawn(self) -> Self:
        twin = type(self)()
        twin.worlds, twin.done = self.worlds, self.done
        return twin

    def _begin(self, task: Task) -> None:
        super()._begin(task)
        self.worlds[task.id] = self._desk

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        self.done.append(action)
        return super().step(action)

    def restore(self, task: Task, actions: Sequence[str]) -> tuple[str, float, bool, bool, dict[str, Any]]:
        self._desk, self._steps_left = self.worlds[task.id], self.max_steps - len(actions)
        done, right = not self._desk.waiting, self._desk.right
        return "", right / 2, done, False, {"error": False, "success": done and right == 2}
