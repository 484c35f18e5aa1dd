"""What clients say of their sessions: one table of headers and fields, and how side calls look.

Names compare without case and with `_` as `-`, since proxies change both. A client that is not here is still recognised by the general
rule `x-...-session-id`, and one that says nothing by the messages that it repeats (`memory.sessions`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ...memory import Hints

OWN_HEADER = "x-lifelong-session"

SESSION_HEADERS = {
    "x-claude-code-session-id": "claude-code",
    "x-dynamo-session-id": "dynamo",
    "x-openwebui-chat-id": "open-webui",
    "x-opencode-session": "opencode",
    "x-session-id": "session",
    "thread-id": "codex",  # of a sub-agent its own, while `session-id` is that of the whole tree
    "session-id": "codex",
    "helicone-session-id": "helicone",
    "x-litellm-session-id": "litellm",
    "x-litellm-trace-id": "litellm",
}
"""Headers that name a session, in the order in which they are believed, and what their values are told apart by."""

PARENT_HEADERS = {
    "x-claude-code-parent-agent-id": "claude-code",
    "x-dynamo-parent-session-id": "dynamo",
    "x-parent-session-id": "session",
    "x-codex-parent-thread-id": "codex",
}
"""Headers that name the session whose sub-agent asks."""

AGENT_HEADER = "x-claude-code-agent-id"
"""A sub-agent of Claude Code has its parent's session and an id of its own."""

TURN_HEADER = "x-codex-turn-metadata"
"""JSON in which Codex says which turn of the user a request belongs to, and what kind of request it is; the body repeats it."""
OWN_KINDS = frozenset(("compaction", "memory", "memory_consolidation", "prewarm", "title"))
"""Kinds of requests that Codex makes for itself."""
LONGEST_METADATA = 16_384
"""Characters of that JSON beyond which it is not read."""

_GENERAL = re.compile(r"x-[a-z0-9-]{1,64}-session-id")
_USER_SESSION = re.compile(r"_session_([0-9a-fA-F-]{8,64})\b")
_TITLE = re.compile(r"\b(?:generate|write|create|suggest)\b[^.\n]{0,80}\b(?:title|topic|tags|follow-up|emoji)\b", re.IGNORECASE)
_SUMMARY = re.compile(
    r"\b(?:summari[sz]\w*|compact\w*)\b[^.\n]{0,80}\b(?:agent|chat|context|conversation|history|session)s?\b"
    r"|\b(?:chat|context|conversation|history|session)s?\b[^.\n]{0,40}\b(?:summari[sz]\w*|summary|compact\w*)\b",
    re.IGNORECASE,
)
_MEMORY = re.compile(r"\bmemory (?:consolidation|curat(?:ion|or)|extraction)\b", re.IGNORECASE)
"""How an agent begins that keeps the client's own memory; it may have tools."""
LONGEST = 200
"""Characters of a name; a longer one is no name."""
READ = 2000
"""Characters of instructions in which a side call is looked for."""


def hints_of(headers: Iterable[tuple[bytes, bytes]], body: Mapping[str, Any], instructions: str = "") -> Hints:
    """What a request says of its session, in its headers first, then in its body."""
    named = {name.decode("latin-1").lower().replace("_", "-"): value.decode("utf-8", "replace").strip() for name, value in headers}
    session, rule, confidence = _session(named, body)
    parent = next((f"{client}-{named[name]}" for name, client in PARENT_HEADERS.items() if _is_name(named.get(name))), "")
    if session and _is_name(named.get(AGENT_HEADER)):
        parent, session = session, f"{session}-{named[AGENT_HEADER]}"
    previous, about = body.get("previous_response_id"), _turn_metadata(named, body)
    turn = about.get("turn_id")
    return Hints(
        session=session,
        rule=rule,
        confidence=confidence,
        parent=parent,
        continues=previous if isinstance(previous, str) else "",
        side=str(about.get("request_kind")) in OWN_KINDS or _is_side_call(named, body, instructions, rule),
        turn=f"codex-{turn}" if _is_name(turn) else "",
    )


def _session(named: Mapping[str, str], body: Mapping[str, Any]) -> tuple[str, str, float]:
    if _is_name(named.get(OWN_HEADER)):
        return named[OWN_HEADER], OWN_HEADER, 1.0
    for name, client in SESSION_HEADERS.items():
        if _is_name(named.get(name)):
            return f"{client}-{named[name]}", name, 0.95
    for name, value in named.items():
        if _GENERAL.fullmatch(name) and _is_name(value) and len(value) >= 8:
            return f"{name.removeprefix('x-').removesuffix('-session-id')}-{value}", name, 0.9
    for rule, client, value in _fields(body):
        if _is_name(value):
            return f"{client}-{value}", rule, 0.9
    return "", "", 1.0


def _fields(body: Mapping[str, Any]) -> Iterable[tuple[str, str, Any]]:
    """Fields that name a session, with what their values are told apart by."""
    metadata = _mapping(body, "metadata")
    yield "client_metadata.thread_id", "codex", _mapping(body, "client_metadata").get("thread_id")
    yield "litellm_session_id", "litellm_session_id", body.get("litellm_session_id")
    yield "metadata.session_id", "session_id", metadata.get("session_id")
    user = metadata.get("user_id")
    found = _USER_SESSION.search(user) if isinstance(user, str) and len(user) < 1000 else None
    yield "metadata.user_id", "user_id", found[1] if found else None
    conversation = body.get("conversation")
    yield "conversation", "conversation", conversation.get("id") if isinstance(conversation, Mapping) else conversation


def _turn_metadata(named: Mapping[str, str], body: Mapping[str, Any]) -> Mapping[str, Any]:
    written = named.get(TURN_HEADER) or _mapping(body, "client_metadata").get(TURN_HEADER)
    if not isinstance(written, str) or len(written) > LONGEST_METADATA:
        return {}
    try:
        read = json.loads(written)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def _is_side_call(named: Mapping[str, str], body: Mapping[str, Any], instructions: str, rule: str) -> bool:
    """A title, tags, a summary: asked by the client for itself. OpenCode and others ask for them without tools.

    A summary is the client's own only in a session that its client has named: elsewhere it may be what somebody wants.
    """
    if named.get("x-openai-subagent") in ("compact", "memory_consolidation", "review") or named.get("x-openai-memgen-request"):
        return True
    if named.get("x-openwebui-task") or _MEMORY.search(instructions[:LONGEST]):
        return True
    if body.get("tools"):
        return False
    begins = instructions[:READ]
    return bool(_TITLE.search(begins)) or (rule not in ("", OWN_HEADER) and bool(_SUMMARY.search(begins)))


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable()
