"""Names of tenants: one spelling for one tenant, and no name that a reader cannot see."""

from __future__ import annotations

import unicodedata

from .errors import MalformedTask
from .visible import can_be_seen

MAX_TENANT_CHARACTERS = 256
"""Longest name of a tenant, in characters."""

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that no name may hold: control, format (zero-width, text direction), surrogates, line separators."""


def tenant_name(text: str) -> str:
    r"""The one spelling of a tenant's name: Unicode NFC, without white space at its ends.

    Raises `MalformedTask` for a name that is blank, too long, or holds characters that cannot be seen.

    >>> tenant_name(" Zoe\u0308 ") == "Zo\u00eb"
    True
    """
    if not isinstance(text, str):
        raise MalformedTask(f"a tenant's name must be text, got {type(text).__name__}")
    if len(text) > MAX_TENANT_CHARACTERS:
        raise MalformedTask(f"the tenant's name has {len(text)} characters; at most {MAX_TENANT_CHARACTERS} are allowed")
    unseen = next((character for character in text if unicodedata.category(character) in UNSEEN), "")
    if unseen:
        raise MalformedTask(f"the tenant's name holds the invisible character U+{ord(unseen):04X}; leave it out")
    name = unicodedata.normalize("NFC", text).strip()
    if not can_be_seen(name):
        raise MalformedTask("the tenant's name is blank; give a non-empty name, or none at all")
    return name
