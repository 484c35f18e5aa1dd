"""Encoders: texts to unit vectors."""

from __future__ import annotations

MEMBERS = {
    "minilm": "minilm:MiniLMEncoder",
    "hashed": "hashed:HashedEncoder",
}
"""Values of `memory.encoder`."""
