"""What of a text can be seen."""

from __future__ import annotations

import unicodedata

BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159")
"""Letters and symbols that are drawn as nothing."""


def can_be_seen(text: str) -> bool:
    r"""Whether a text holds a letter, number, punctuation mark or symbol that is drawn; accents need one to stand on.

    >>> can_be_seen("\u0301"), can_be_seen("\u3164"), can_be_seen("e\u0301")
    (False, False, True)
    """
    return any(unicodedata.category(sign)[0] in "LNPS" and sign not in BLANK for sign in text)


def visible_text(text: str) -> str:
    r"""The text without surrounding space, empty where nothing in it can be seen (blanks, zero-width and control characters).

    >>> visible_text(" \u200b\ufeff "), visible_text(" yes\u200d ")
    ('', 'yes\u200d')
    """
    return text.strip() if can_be_seen(text) else ""
