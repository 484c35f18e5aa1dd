"""`GuardedReader`: what an upstream answered is read beside its way to the client, and whatever it is, it goes on (invariant Fail open)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ....core import Answer, PassingCodec
from .parts import storable

log = logging.getLogger("lifelong")


class GuardedReader:
    """A `StreamReader` that never raises. What cannot be read is not learned from, and no reason to keep the client from it."""

    def __init__(self, codec: PassingCodec) -> None:
        self._reader = codec.read_stream()
        self.failed = False
        """Whether something came that could not be read: nothing is known of how the stream ends."""

    def take(self, name: str, data: str) -> bool:
        """See `StreamReader.take`; False for every event after one that could not be read."""
        if self.failed:
            return False
        try:
            return self._reader.take(name, data)
        except Exception as error:
            self._note(error)
            return False

    def answer(self) -> Answer | None:
        """See `StreamReader.answer`; None where something could not be read."""
        try:
            return None if self.failed else self._reader.answer()
        except Exception as error:
            self._note(error)
            return None

    def _note(self, error: Exception) -> None:
        self.failed = True
        note_unread(error)


def read_whole(codec: PassingCodec, body: Mapping[str, Any]) -> Answer | None:
    """What a whole answer says; None where it cannot be read."""
    try:
        return codec.read_reply(body)
    except Exception as error:
        note_unread(error)
        return None


async def recorded(record: Callable[[Answer], Awaitable[bool]], answer: Answer) -> bool:
    """Whether an answer is on disk; what cannot be recorded is logged."""
    try:
        return await record(storable(answer))
    except Exception as error:
        log.warning("an answer could not be recorded: %s", error, exc_info=error)
        return False


def note_unread(error: Exception) -> None:
    """Log that an answer went on which could not be read."""
    log.warning("an answer of the upstream could not be read and is not remembered (%s: %s)", type(error).__name__, error)
