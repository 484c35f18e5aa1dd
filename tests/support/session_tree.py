"""A session tree in memory, and messages to grow it with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lifelong.core import Message, tool_call
from lifelong.memory import Hints, Placement, SessionNode, SessionRequest, call_digests, message_hashes, next_hash, resolve, text_digest
from lifelong.memory.sessions import UNNAMED


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str, *calls: tuple[str, str]) -> Message:
    made = [tool_call(name, arguments, f"c{number}") for number, (name, arguments) in enumerate(calls)]
    return {"role": "assistant", "content": text, **({"tool_calls": made} if made else {})}


@dataclass
class Tree:
    """What was seen, in memory."""

    rows: dict[tuple[bytes, str], SessionNode] = field(default_factory=dict)
    calls: dict[int, SessionNode] = field(default_factory=dict)
    answers: dict[str, SessionNode] = field(default_factory=dict)
    call_ids: dict[str, SessionNode | None] = field(default_factory=dict)

    def nodes(self, hashes: Sequence[bytes]) -> list[SessionNode]:
        for hash in reversed(hashes):
            if found := [node for (seen, _), node in self.rows.items() if seen == hash]:
                return found
        return []

    def newest(self, session: str) -> SessionNode | None:
        return max((node for node in self.rows.values() if node.session == session), key=lambda node: node.order, default=None)

    def caller(self, opening: int) -> SessionNode | None:
        return self.calls.get(opening)

    def answer(self, id: str) -> SessionNode | None:
        return self.answers.get(id)

    def call(self, id: str) -> SessionNode | None:
        return self.call_ids.get(id)

    def ask(self, messages: list[Message], answer: Message, hints: Hints | None = None) -> Placement:
        """Resolve a request, and keep it with its answer where it was placed."""
        hashes, roles = message_hashes(messages)
        said = [one for one in messages if one["role"] != "system"]
        opening = text_digest(str(said[0]["content"]))
        results = tuple(str(one.get("tool_call_id") or "") for one in said)
        placed = resolve(SessionRequest(hashes=hashes, roles=roles, results=results, opening=opening, hints=hints or Hints()), self)
        session = placed.session or f"{UNNAMED}{len(self.rows)}"
        placed = replace(placed, session=session)
        chain = [*hashes, next_hash(hashes[-1], answer)]
        for before, hash in zip([b"", *chain], chain, strict=False):
            old = self.rows.get((hash, session))
            leaf = old.leaf if old else True
            self.rows[hash, session] = SessionNode(hash=hash, session=session, run="r", position=0, leaf=leaf, order=len(self.rows))
            if (before, session) in self.rows:
                self.rows[before, session] = replace(self.rows[before, session], leaf=False)
        for digest in call_digests(answer):
            self.calls[digest] = self.rows[chain[-1], session]
        for call in answer.get("tool_calls") or ():
            node, before = self.rows[chain[-1], session], self.call_ids.get(call["id"], self.rows[chain[-1], session])
            self.call_ids[call["id"]] = node if before and before.session == session else None
        return placed
