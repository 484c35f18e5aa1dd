"""`import_chats`: conversations of before are remembered; nobody has judged them, so nothing is trained on them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ...core import UNKNOWN, Episode, Message, Settings, Task, from_messages, text_of
from ...memory.turns.other_memories import other_memories
from ...numerics.arrays import Vector
from ..open import opened_record

BATCH = 256
"""Runs recorded and indexed in one transaction."""


@dataclass(frozen=True, kw_only=True)
class Chat:
    """A conversation of before."""

    messages: tuple[Message, ...]
    """What was said, in OpenAI's shape; one of them is a user's."""
    session: str = ""
    """What it is called; empty: it is named after its content."""
    created: float | None = None
    """When it took place, in seconds since the epoch; None: now."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import has come to."""

    chats: int
    """Conversations that were read."""
    episodes: int
    """Runs that were recorded; those that stood in the record are not counted."""


def import_chats(
    settings: Settings, chats: Iterable[Chat], *, tenant: str, progress: Callable[[int], None] = lambda done: None
) -> Imported:
    """Record conversations in the home of the settings, one episode for each turn of a user, and index what was said.

    Ids follow from the content: a conversation that was imported before changes nothing, and an import that was cut off can be repeated.
    No model is opened. `progress` is told how many conversations are done. Raises `SettingsError` for a home of another encoder, and
    `StoreError`.
    """
    counted = [0]

    def each() -> Iterator[Episode]:
        for chat in chats:
            yield from episodes_of(chat, tenant)
            counted[0] += 1

    recorded, rest = 0, each()
    with opened_record(settings) as (record, encoder, turns):
        while some := list(islice(rest, BATCH)):
            known = {one.id for one in record.episodes.get_many([one.id for one in some], tenant=tenant)}
            new = list({one.id: one for one in some if one.id not in known}.values())
            vectors: Sequence[Vector] = list(encoder.encode([one.task.text for one in new])) if new else []
            with record.transaction():
                record.episodes.record_many(zip(new, vectors, strict=True))
                turns.finish()
            recorded += len(new)
            progress(counted[0])
    return Imported(chats=counted[0], episodes=recorded)


def episodes_of(chat: Chat, tenant: str) -> list[Episode]:
    """The runs of a conversation: each begins with a user's turn and ends before the next one."""
    instructions = "\n".join(text_of(one) for one in chat.messages if one["role"] in ("system", "developer"))
    said = [one for one in chat.messages if one["role"] not in ("system", "developer")]
    begins = [number for number, one in enumerate(said) if one["role"] == "user"]
    session = chat.session or f"imported-{_digest(tenant, chat.messages)}"
    created = time.time() if chat.created is None else chat.created
    found: list[Episode] = []
    for place, begin in enumerate(begins):
        end = begins[place + 1] if place + 1 < len(begins) else len(said)
        # What stood before the first turn of a user (a greeting) belongs to it.
        messages = said[0 if place == 0 else begin : end]
        id = _digest(tenant, session, said[:end])
        goal = text_of(said[begin])
        task = Task(
            id=id,
            goal=goal if goal.strip() else "(nothing that can be read)",
            instructions=instructions,
            tenant=tenant,
            environment="chat",
            session=session,
        )
        found.append(
            Episode(
                id=id,
                task=task,
                steps=from_messages(messages),
                outcome=UNKNOWN,
                previous=found[-1].id if found else "",
                other_memories=other_memories("\n".join([instructions, *(text_of(one) for one in messages if one["role"] == "user")])),
                created=created + place / 1000,  # in the order in which they were said
            )
        )
    return found


def _digest(*parts: str | Sequence[Message]) -> str:
    written = json.dumps(parts, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    return hashlib.sha256(written).hexdigest()[:32]
