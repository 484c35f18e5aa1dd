"""Random trees of many agents at once: retries, edits, compacted histories, sub-agents; nobody's turn lands in a stranger's session."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from session_tree import Tree, assistant, user

from lifelong.core import Message
from lifelong.memory import Hints, PlacementKind

OPENINGS = ["fix the failing build, please", "summarise the newest report"]
"""What several agents begin with, word by word."""
STEPS = 14


@dataclass
class Agent:
    """Somebody's agent; the truth about one session."""

    name: str
    random: random.Random
    named: bool = False
    """Whether its client names its session."""
    opening: str = ""
    parent: str = ""
    messages: list[Message] = field(default_factory=list)
    compacted: bool = False
    sub_agents: list[Agent] = field(default_factory=list)

    @property
    def hints(self) -> Hints:
        """What its client says of it."""
        return Hints(session=self.name, rule="header", confidence=0.95) if self.named else Hints()

    def move(self) -> list[Message]:
        """The messages of its next request."""
        r, users = self.random, [number for number, one in enumerate(self.messages) if one["role"] == "user"]
        self.compacted = False
        if self.messages and self.messages[-1].get("tool_calls"):
            calls = self.messages[-1]["tool_calls"]
            self.messages += [{"role": "tool", "content": f"result {r.random()}", "tool_call_id": one["id"]} for one in calls]
        elif not self.messages:
            self.messages.append(user(self.opening or r.choice(OPENINGS)))
        elif len(users) > 2 and r.random() < 0.15:
            self.messages = [*self.messages[: r.choice(users[2:])], user(f"edited: {r.random()}")]
        elif len(users) > 1 and r.random() < 0.15:
            self.messages = self.messages[:-1]  # the newest answer again
        elif self.named and len(self.messages) > 6 and r.random() < 0.15:
            self.compacted = True
            self.messages = [user(f"what happened so far: {r.random()}"), user(f"go on {r.random()}")]
        else:
            self.messages.append(user(f"{self.name} wants {r.random()}"))
        return [{"role": "system", "content": f"it is {r.random()}"}, *self.messages]

    def answer(self) -> Message:
        """What the model answers: a text, a call of a tool, or a sub-agent's task."""
        r, said = self.random, [one for one in self.messages if one["role"] == "assistant"]
        kind = r.random() if said else 1.0
        if kind < 0.15 and not self.parent:
            task = f"look for every caller of function {r.random()} and list them"
            child = Agent(f"{self.name}/{len(self.sub_agents)}", r, named=False, opening=task, parent=self.name)
            self.sub_agents.append(child)
            message = assistant("", ("spawn", f'{{"prompt": "{task}"}}'))
        elif kind < 0.5:
            message = assistant("", ("look", f'{{"q": {r.random()}}}'))
        else:
            message = assistant(f"answer {r.random()}" if said else "certainly, I begin")
        self.messages.append(message)
        return message


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), people=st.integers(2, 6))
def test_no_turn_lands_in_a_strangers_session(seed: int, people: int) -> None:
    r, tree = random.Random(seed), Tree()
    agents = [Agent(f"agent-{number}", r, named=number % 3 == 0) for number in range(people)]
    owners: dict[str, set[str]] = defaultdict(set)
    sessions: dict[str, list[str]] = defaultdict(list)
    for _ in range(people * STEPS):
        agent = r.choice(agents)
        messages = agent.move()
        opening = len(agent.messages) == 1
        placed = tree.ask(messages, agent.answer(), agent.hints)
        agents += [one for one in agent.sub_agents if one not in agents]
        if agent.parent and opening:
            assert placed.kind is PlacementKind.CHILD
            assert placed.parent in sessions[agent.parent]
        if agent.compacted:
            assert (placed.kind, placed.session) == (PlacementKind.COMPACTION, agent.name)
        if opening and not agent.named and not agent.parent:
            continue  # it said what others said too: nothing of its own that could be known
        owners[placed.session].add(agent.name)
        sessions[agent.name].append(placed.session)
    assert {session: names for session, names in owners.items() if len(names) > 1} == {}
    turns = sum(map(len, sessions.values()))
    assert sum(one == placed[0] for placed in sessions.values() for one in placed) >= 0.95 * turns


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_same_requests_in_the_same_order_are_placed_alike(seed: int) -> None:
    def places() -> list[tuple[str, str]]:
        r, tree = random.Random(seed), Tree()
        agents = [Agent(f"agent-{number}", r, named=number == 0) for number in range(3)]
        found = []
        for _ in range(30):
            agent = r.choice(agents)
            placed = tree.ask(agent.move(), agent.answer(), agent.hints)
            found.append((placed.session, str(placed.kind)))
        return found

    assert places() == places()
