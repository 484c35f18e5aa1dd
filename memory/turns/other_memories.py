"""Texts that another memory layer has put into a prompt: which layers, and where they stand.

They are that layer's doing and not what a person says now: they are noticed and reported, and never kept as statements. Which marks a
layer writes was looked up in public sources of clients that write or strip them; the general rules catch those that are not listed.
"""

from __future__ import annotations

import re

LONGEST = 200_000
"""Characters of a text that are looked at."""

MARKS: dict[str, re.Pattern[str]] = {
    "claude-code": re.compile(r"^# claudeMd$|^Contents of [^\n]{0,300}CLAUDE(?:\.local)?\.md\b", re.MULTILINE),
    "codex": re.compile(r"^# AGENTS\.md instructions for ", re.MULTILINE),
    "claude-mem": re.compile(r"<claude-mem-context>"),
    "hindsight": re.compile(r"<hindsight_memories>"),
    "letta": re.compile(r"<memory_blocks>"),
    "openclaw": re.compile(r"<relevant[-_]memories>"),
    "openviking": re.compile(r"<openviking-context>"),
    "supermemory": re.compile(r"<supermemory-(?:context|containers)>"),
}
"""Layers and the beginning of what they write."""

_ELEMENT = re.compile(r"(?<!\w)<([a-z][\w-]{0,40}memor(?:y|ies)[\w-]{0,40}|memor(?:y|ies))>", re.IGNORECASE)
_ITEM = r"[ \t]{0,8}(?:[-*•]|\d{1,3}[.)])[^\n]{0,2000}(?:\n|\Z)"
LISTED = re.compile(
    rf"^[#*\s]{{0,8}}(?:[\w'’-]+ ){{0,6}}memor(?:y|ies)\b[^\n:]{{0,80}}:[*\s]{{0,4}}\n(?:{_ITEM}){{1,200}}",
    re.IGNORECASE | re.MULTILINE,
)
"""A heading that speaks of memories, and the list below it."""


def other_memories(text: str) -> tuple[str, ...]:
    r"""The layers whose text stands in `text`, sorted; `unnamed` for one that no mark names.

    >>> other_memories("<hindsight_memories>she likes tea</hindsight_memories>")
    ('hindsight',)
    >>> other_memories("Relevant memories:\n- she likes tea\n"), other_memories("I have fond memories of Bern.")
    (('unnamed',), ())
    """
    text = text[:LONGEST]
    found = {layer for layer, mark in MARKS.items() if mark.search(text)}
    if not found and (_ELEMENT.search(text) or LISTED.search(text)):
        found = {"unnamed"}
    return tuple(sorted(found))
