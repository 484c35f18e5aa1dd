"""Digests of messages, by which a copy of one is found in other episodes without reading all texts."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata

from ...core import Action, Episode, Observation, Step, drawn_id
from ...core.plain import standard_json

SHORTEST = 8
"""Characters from which on a text may identify somebody or something; shorter ones are everybody's."""


def normalise(text: str) -> str:
    r"""The text without what clients change in passing: Unicode form, case and the width of white space.

    >>> normalise("  The  Vault\nword ")
    'the vault word'
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def message_digest(text: str | None) -> int | None:
    """64 bits of a message as SQLite keeps integers; None for one of fewer than `SHORTEST` characters."""
    plain = normalise(text or "")
    if len(plain) < SHORTEST:
        return None
    return int.from_bytes(hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)


_DIGEST = re.compile(r"[0-9a-f]{32}")


def without_text_digest(body: str) -> str:
    """The body of an episode whose task's id is drawn anew where it was a digest of a conversation."""
    try:
        row = json.loads(body)
        if not _DIGEST.fullmatch(row["task"]["id"]):
            return body
        row["task"]["id"] = drawn_id()
    except (ValueError, KeyError, TypeError):
        return body  # damaged: whoever reads it says so
    return standard_json(row)


def split_history(episode: Episode) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """The steps that repeat earlier turns of a conversation, and the episode's own, which begin with its request."""
    own = episode.task.text
    start = max((i for i, step in enumerate(episode.steps) if isinstance(step, Observation) and step.text == own), default=0)
    return episode.steps[:start], episode.steps[start:]


def quoted_digests(episode: Episode) -> set[int]:
    """Digests of the earlier turns that an episode repeats."""
    history, _ = split_history(episode)
    found = {message_digest(step.full_text) for step in history if isinstance(step, Observation | Action)}
    return {digest for digest in found if digest is not None}
