"""Conversations of real clients, all at once and with every header removed: nobody's turn lands in a stranger's session.

The shapes were recorded by `just clients` (`real_clients.record`): roles, lengths and hashes, no texts.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from real_clients.shapes import SHAPES, message_of
from session_tree import Tree

from lifelong.core import Message

FILES = sorted(SHAPES.glob("*.json"))
LEAST_CLIENTS = 8


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of one client."""

    owner: str
    """Which conversation of which client it truly belongs to."""
    messages: list[Message]
    answer: Message


def conversations(file: Path) -> dict[str, list[Asked]]:
    """The requests of a client by conversation, in their order; what it asks for itself is no turn."""
    read = json.loads(file.read_text())
    messages = [message_of(one) for one in read["messages"]]
    found: dict[str, list[Asked]] = defaultdict(list)
    for one in read["requests"]:
        if not one["side"]:
            owner = f"{read['client']} {one['conversation']}"
            found[owner].append(Asked(owner=owner, messages=[messages[n] for n in one["messages"]], answer=messages[one["answer"]]))
    return found


def in_turn(asked: dict[str, list[Asked]], seed: int) -> Iterator[Asked]:
    """All requests, those of one conversation in their order, the conversations mixed at random."""
    r, waiting = random.Random(seed), {owner: list(each) for owner, each in asked.items()}
    while waiting:
        owner = r.choice(sorted(waiting))
        yield waiting[owner].pop(0)
        if not waiting[owner]:
            del waiting[owner]


@pytest.fixture(scope="module")
def everything() -> dict[str, list[Asked]]:
    return {owner: asked for file in FILES for owner, asked in conversations(file).items()}


def test_the_shapes_hold_no_texts() -> None:
    assert len(FILES) >= LEAST_CLIENTS
    for file in FILES:
        read: dict[str, Any] = json.loads(file.read_text())
        for one in read["messages"]:
            assert set(one) <= {"role", "text", "length", "calls", "ids", "id"}
            assert len(one["text"]) == 24


@pytest.mark.parametrize("seed", range(5))
def test_without_any_header_nobody_is_merged_and_nearly_every_turn_is_placed(everything: dict[str, list[Asked]], seed: int) -> None:
    tree = Tree()
    owners: dict[str, set[str]] = defaultdict(set)
    places: dict[str, list[str]] = defaultdict(list)
    for asked in in_turn(everything, seed):
        session = tree.ask(asked.messages, asked.answer).session
        owners[session].add(asked.owner)
        places[asked.owner].append(session)
    assert {session: sorted(names) for session, names in owners.items() if len(names) > 1} == {}
    turns = sum(map(len, places.values()))
    placed = sum(Counter(sessions).most_common(1)[0][1] for sessions in places.values())
    assert placed >= 0.95 * turns
