"""Tickets that are worked with four tools, by commands of text or picked from a menu."""

from __future__ import annotations

import json
import random

from ...core import Task, read_reply
from .._reply import ActionResult
from .._splits import GeneratedEnvironment
from ..environment import Demonstration
from .tickets import TOOLS, HelpDesk, Tickets, draw_tickets


class TicketEnvironment(GeneratedEnvironment[Tickets]):
    """Two tickets a task, seven or eight actions each: look the customer up, search the knowledge base, set the priority, route.

    An action is one command of text; a call in the form of `core.read_reply` is taken too. What a tool does not know is refused and the
    episode goes on; it ends when every ticket is routed, and is solved when each is in its queue with its priority. The score is the
    share of tickets for which that holds.
    """

    id = "tickets-v1"
    max_steps = 16
    max_answer_tokens = 32
    instructions = (
        "You work tickets with tools, one command at a time:\n"
        "lookup_customer CUSTOMER tells the tier. search_kb SUBJECT tells the queue.\n"
        "set_priority TICKET PRIORITY: P1 for gold, P2 for silver, P3 for basic. route TICKET QUEUE is the last command on a ticket.\n"
        "Answer with one command."
    )

    def demonstrate(self, task: Task) -> Demonstration:
        desk, seen = HelpDesk(task=self._problem(task)), [task.text]
        actions = desk.task.solution
        for action in actions[:-1]:
            seen.append(desk.call(*_parts(action)) or "")
        return Demonstration(observations=tuple(seen), actions=actions)

    def _make(self, rng: random.Random) -> Tickets | None:
        return draw_tickets(rng)

    def _begin(self, task: Task) -> None:
        self._desk = HelpDesk(task=self._problem(task))

    def _act(self, action: str) -> ActionResult:
        text = self._desk.call(*_parts(action))
        if text is None:
            return ActionResult(text=f"Error: no tool answers that; the tools are {', '.join(TOOLS)}.", error=True)
        done, right = not self._desk.waiting, self._desk.right
        whole = len(self._desk.task.tickets)
        return ActionResult(text=text, reward=right / whole if done else 0.0, done=done, success=done and right == whole)


class TicketMenuEnvironment(TicketEnvironment):
    """`TicketEnvironment` whose actions are picked from all that a tool would answer now."""

    id = "tickets-menu-v1"

    def admissible(self) -> tuple[str, ...]:
        return self._desk.choices() if self._steps_left else ()


def _parts(action: str) -> tuple[str, str]:
    """Tool and argument of a command, or of the first call that an answer holds."""
    _, calls = read_reply(action)
    if calls:
        function = calls[0]["function"]
        try:
            arguments = json.loads(function["arguments"])
        except ValueError:
            arguments = None
        return function["name"], " ".join(map(str, arguments.values())) if isinstance(arguments, dict) else ""
    tool, _, argument = " ".join(action.split()).partition(" ")
    return tool, argument
