"""What of a text can be seen."""

from __future__ import annotations

import unicodedata


def visible_text(text: str) -> str:
    r"""The text without surrounding space, empty where nothing in it can be seen (blanks, zero-width and control characters).

    >>> visible_text(" \u200b\ufeff "), visible_text(" yes\u200d ")
    ('', 'yes\u200d')
    """
    seen = any(unicodedata.category(sign)[0] not in "ZC" for sign in text)
    return text.strip() if seen else ""
