"""`describe`: one thing that was said, with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from ...core import NothingFound
from ...memory import Memory, Record
from ..turn_memory import read_memories


@dataclass(frozen=True, kw_only=True)
class Held:
    """One thing that was said, with what is known of it."""

    memory: Memory
    """What was said, by whom, when, in which conversation."""
    said: tuple[float, ...]
    """Every moment at which its speaker said it, oldest first, in seconds since the epoch."""
    pinned: bool
    """Whether a person wants it to count always."""
    profile: bool
    """Whether it is a line of the profile."""
    before: str
    """What was said before it in the conversation; empty at its beginning."""
    after: str
    """What was said after it; empty at its end."""
    shown: int
    """In how many prompts its episode has stood."""


def describe(record: Record, tenant: str, number: int) -> Held:
    """What is known of one turn. Raises `NothingFound` for a number that the tenant does not have."""
    memory = one_memory(record, tenant, number)
    [turn] = record.turns.get(tenant, [number], repetitions=True)
    around = record.turns.around(tenant, [number], 1)
    beside = {one.position - turn.position: one.number for one in record.turns.get(tenant, around, repetitions=True)}
    texts = record.turns.texts(tenant, beside.values())
    return Held(
        memory=memory,
        said=tuple(record.turns.moments(tenant, number)),
        pinned=number in record.profiles.pinned(tenant),
        profile=any(line == number for line, _, _ in record.profiles.lines(tenant)),
        before=texts[beside[-1]][1] if beside.get(-1) in texts else "",
        after=texts[beside[1]][1] if beside.get(1) in texts else "",
        shown=record.turns.times_shown(memory.episode),
    )


def one_memory(record: Record, tenant: str, number: int) -> Memory:
    """One turn of a tenant. Raises `NothingFound` for a number that the tenant does not have."""
    found = read_memories(record, tenant, [number])
    if not found:
        raise NothingFound(f"tenant {tenant!r} holds nothing under the number {number}; see `lifelong memory list`")
    return found[0]
