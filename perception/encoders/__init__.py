"""Encoders: texts to unit vectors."""

from __future__ import annotations

MEMBERS = {
    "minilm": "minilm:MiniLMEncoder",
    "hashed": "hashed:HashedEncoder",
    "multilingual": "multilingual:MultilingualEncoder",
}
"""Values of `memory.encoder`."""
