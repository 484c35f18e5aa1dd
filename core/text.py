"""Outside text on a terminal: what could move the cursor, hide or reorder words is shown as an escape."""

from __future__ import annotations

import unicodedata

ESCAPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories shown as escapes: control, format (bidirectional overrides among them), surrogates, unassigned, line separators."""

JOINERS = frozenset("\u200c\u200d")
"""Zero-width joiners: Persian words and emoji need them, and they reorder nothing."""


def printable(text: str, *, keep: str = "") -> str:
    r"""The text with every character that a terminal would obey instead of showing written as an escape.

    `keep` names control characters that stay, such as a line feed where a text of several lines is meant.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in keep or character in JOINERS or unicodedata.category(character) not in ESCAPED
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def one_line(text: str, width: int = 100) -> str:
    r"""The text on one line of at most `width` characters, safe to print; what is longer ends in an ellipsis.

    >>> one_line("a\n  b", 10)
    'a b'
    """
    words = printable(" ".join(text.split()))
    return words if len(words) <= width else words[: width - 1] + "…"


def spelling(name: str) -> str:
    """A name without case and surplus spaces: names that share it would be taken for one another.

    >>> spelling(" Re  Fund ")
    're fund'
    """
    return " ".join(name.casefold().split())
