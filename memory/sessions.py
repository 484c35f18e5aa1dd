"""Which session a request belongs to, found from what it says of itself and from the messages that it repeats. Pure functions.

Clients send the whole conversation with every request, most of them without naming it. Each message that is no system message adds to a
running hash, so that a prefix of a conversation is one number; the longest prefix that was seen before is where the request goes on.
System text is left out, since clients write dates and file states into it. A session is a tree: a retry, an edit and a compacted history
are branches of it.

The longest known prefix is how prefix caches find what they hold (Zheng et al. 2024, "SGLang: Efficient Execution of Structured Language
Model Programs", https://arxiv.org/abs/2312.07104); the rules about strangers, edits and retries are this project's own.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ..core import Message, text_of, without_client_text

ROOT = b""
"""The hash before any message."""
UNNAMED = "conversation-"
"""What the names of sessions begin with whose client has none."""
SHORT = 2
"""Messages that strangers may well have in common: the same greeting and the same answer."""
CROWD = 3
"""Sessions that share a prefix from which on it identifies none of them."""
LONG_TEXT = 24
"""Characters from which on a text that a tool call and a new conversation have in common is no chance."""

LONGEST_TEXT = 100_000
"""Characters beyond which a text is no instruction to a sub-agent."""


class PlacementKind(StrEnum):
    """How a request stands to what was seen before."""

    FIRST = "first"
    """A conversation that nobody has seen."""
    NEXT = "next"
    """It goes on where the session ended."""
    RETRY = "retry"
    """The same request again."""
    EDIT = "edit"
    """It goes on from an earlier place, as after an edit of a message: a branch."""
    COMPACTION = "compaction"
    """The session has a name, and its history was written anew."""
    CHILD = "child"
    """A sub-agent's conversation, which a tool call of another session began."""


@dataclass(frozen=True, kw_only=True)
class SessionNode:
    """A prefix of a session's messages."""

    hash: bytes
    """The running hash at its last message."""
    session: str
    """Whose prefix."""
    run: str
    """The run that holds its last message."""
    position: int
    """How many steps that run had then."""
    leaf: bool
    """Whether nothing has followed yet."""
    order: int = 0
    """Larger is newer."""


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What a request says of itself."""

    session: str = ""
    """The session by name; empty where the client has none."""
    rule: str = ""
    """Which header or field named it."""
    confidence: float = 1.0
    """How far the name can be relied on."""
    parent: str = ""
    """Name of the session whose sub-agent it is."""
    continues: str = ""
    """Id of the answer that it goes on from, where the history stays with the server."""
    turn: str = ""
    """The client's id of the user's turn, which stays the same while the history is compacted; empty where it has none."""
    side: bool = False
    """The client asks for itself (a title, a summary of its history); not a turn of the conversation."""


@dataclass(frozen=True, kw_only=True)
class SessionRequest:
    """A request as far as its place is concerned."""

    hashes: tuple[bytes, ...]
    """Running hash at each message, system messages left out."""
    roles: tuple[str, ...]
    """Role of each of these messages."""
    results: tuple[str, ...] = ()
    """Of each of these messages the id of the tool call that it answers, empty for one that answers none; empty where nobody cares."""
    opening: int | None = None
    """Digest of the first message, by which the tool call is found that began it; None for a short one."""
    hints: Hints = field(default_factory=Hints)
    """What it says of itself."""


class SessionTree(Protocol):
    """What was seen before, of one tenant."""

    def nodes(self, hashes: Sequence[bytes]) -> list[SessionNode]:
        """Every node of any session at the longest of these prefixes that was seen."""

    def newest(self, session: str) -> SessionNode | None:
        """The node of a session that was added last."""

    def caller(self, opening: int) -> SessionNode | None:
        """The node at which a tool was called with a text of this digest."""

    def answer(self, id: str) -> SessionNode | None:
        """The node of an answer by the id under which it went out."""

    def call(self, id: str) -> SessionNode | None:
        """The node of the answer that called a tool under this id; None where several sessions have such a call."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a request goes."""

    session: str
    """The session; empty for a new one without a name."""
    kind: PlacementKind
    """How it stands to what was seen before."""
    rule: str
    """What decided: the name of a header or field, or `messages`."""
    confidence: float
    """How sure that is, in [0, 1]."""
    known: int = 0
    """How many of its messages were seen."""
    node: SessionNode | None = None
    """Where it goes on from; None where nothing was seen."""
    parent: str = ""
    """The session whose sub-agent it is."""


def resolve(request: SessionRequest, tree: SessionTree) -> Placement:
    """Where a request goes. The longest known prefix decides, within the named session where there is a name."""
    hints = request.hints
    if hints.continues and (node := tree.answer(hints.continues)):
        return Placement(session=node.session, kind=_kind(node), rule="previous answer", confidence=1.0, node=node)
    if hints.session:
        return _resolve_named(request, tree)
    found = tree.nodes(request.hashes)
    if not found:
        return _unseen(request, tree)
    # Who named a session names it every time, so where others are alike so far it is one of theirs.
    found = [node for node in found if node.session.startswith(UNNAMED)] or found
    if len(found) > 1 and (node := _called(request, found, tree)):
        known = request.hashes.index(node.hash) + 1
        return Placement(session=node.session, kind=_kind(node), rule="tool call id", confidence=0.9, known=known, node=node)
    node = max(found, key=lambda one: (one.leaf, one.order))
    known = request.hashes.index(node.hash) + 1
    whole, short = known == len(request.hashes), known <= SHORT
    if whole:
        # The same opening from two people is one text, of one message or several. A client that says that it asks again does not say
        # whether its first try was answered, so what was seen may still be a stranger's.
        if "assistant" not in request.roles or len(found) >= CROWD:
            return _new("messages", 1.0)
        return Placement(session=node.session, kind=PlacementKind.RETRY, rule="messages", confidence=0.9, known=known, node=node)
    if request.roles[known] == "assistant":
        # What was answered comes back in other words: the client has changed it, or somebody else's conversation began alike.
        if short:
            return _new("messages", 0.5)
        known = known if node.leaf else known + 1
        return Placement(session=node.session, kind=_kind(node), rule="messages", confidence=0.8, known=known, node=node)
    if not node.leaf and (short or len(found) >= CROWD):
        return _new("messages", 0.5)
    confidence = 0.9 if len({one.session for one in found}) == 1 else 0.5
    return Placement(session=node.session, kind=_kind(node), rule="messages", confidence=confidence, known=known, node=node)


def new_session() -> str:
    """A name for the session of a client that has none."""
    return f"{UNNAMED}{uuid.uuid4().hex}"


def message_hashes(messages: Sequence[Message], base: bytes = ROOT) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """Running hashes and roles of the messages that are no system's, from the hash `base` on.

    White space around a text, what the client added to a user's words, the form of arguments and everything beside text and tool calls
    are left out: clients change them.
    """
    hashes: list[bytes] = []
    roles: list[str] = []
    for message in messages:
        if message["role"] in ("system", "developer"):
            continue
        base = next_hash(base, message)
        hashes.append(base)
        roles.append(message["role"])
    return tuple(hashes), tuple(roles)


def next_hash(base: bytes, message: Message) -> bytes:
    """The running hash (16 bytes) after one more message."""
    calls = [(call["function"]["name"], _canonical(call["function"]["arguments"])) for call in message.get("tool_calls") or ()]
    content = message["content"]
    others = [part for part in content if not isinstance(part.get("text"), str)] if isinstance(content, list) else []
    text = without_client_text(text_of(message)) if message["role"] == "user" else text_of(message)
    said = [message["role"], text.strip(), calls, message.get("tool_call_id") or "", others]
    digest = hashlib.blake2b(base, digest_size=16)
    digest.update(json.dumps(said, sort_keys=True).encode())
    return digest.digest()


def text_digest(text: str) -> int | None:
    """Digest by which a text is found that was handed to a sub-agent; None for one that is too short or no instruction."""
    if len(text) > LONGEST_TEXT:
        return None
    plain = " ".join(text.split())
    if len(plain) < LONG_TEXT:
        return None
    return int.from_bytes(hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)


def call_digests(message: Message) -> set[int]:
    """Digests of the texts that an assistant's turn hands to tools."""
    texts: list[str] = []
    for call in message.get("tool_calls") or ():
        try:
            arguments = json.loads(call["function"]["arguments"])
        except (ValueError, RecursionError):
            continue
        texts += [value for value in arguments.values() if isinstance(value, str)] if isinstance(arguments, dict) else []
    return {digest for digest in map(text_digest, texts) if digest is not None}


def _resolve_named(request: SessionRequest, tree: SessionTree) -> Placement:
    hints = request.hints
    found = [node for node in tree.nodes(request.hashes) if node.session == hints.session]
    if not found:
        newest = tree.newest(hints.session)
        kind = PlacementKind.COMPACTION if newest else PlacementKind.CHILD if hints.parent else PlacementKind.FIRST
        return Placement(session=hints.session, kind=kind, rule=hints.rule, confidence=hints.confidence, node=newest, parent=hints.parent)
    node = max(found, key=lambda one: (one.leaf, one.order))
    known = request.hashes.index(node.hash) + 1
    kind = PlacementKind.RETRY if known == len(request.hashes) else _kind(node)
    if kind is PlacementKind.EDIT and request.roles[known] == "assistant":
        kind, known = PlacementKind.NEXT, known + 1
    return Placement(
        session=hints.session, kind=kind, rule=hints.rule, confidence=hints.confidence, known=known, node=node, parent=hints.parent
    )


def _called(request: SessionRequest, found: Sequence[SessionNode], tree: SessionTree) -> SessionNode | None:
    """Of several sessions that are alike so far the one whose call the next message answers: ids of calls are drawn at random."""
    known = request.hashes.index(found[0].hash) + 1
    id = request.results[known] if known < len(request.results) else ""
    called = tree.call(id) if id else None
    return next((node for node in found if called and (node.session, node.hash) == (called.session, called.hash)), None)


def _unseen(request: SessionRequest, tree: SessionTree) -> Placement:
    caller = tree.caller(request.opening) if request.opening is not None else None
    if caller is not None:
        return Placement(session="", kind=PlacementKind.CHILD, rule="tool call", confidence=0.8, parent=caller.session)
    return _new("messages", 1.0)


def _new(rule: str, confidence: float) -> Placement:
    return Placement(session="", kind=PlacementKind.FIRST, rule=rule, confidence=confidence)


def _kind(node: SessionNode) -> PlacementKind:
    return PlacementKind.NEXT if node.leaf else PlacementKind.EDIT


def _canonical(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments
