"""What agents put into a user's message beside the person's words: reminders, dates, states of files, lists of skills.

It changes from day to day, and is rewritten when a conversation goes on: it is neither what was said nor part of a task.
"""

from __future__ import annotations

from collections.abc import Iterator

CLIENT_TAGS = ("system-reminder", "system_reminder", "environment_details")
"""Elements that Claude Code, Qwen Code and Cline write into messages of the user, by name."""


def without_client_text(text: str) -> str:
    r"""The text without these elements; one that is not closed stays. Linear in the text.

    >>> without_client_text("<system-reminder>It is Monday.</system-reminder>\nFix the test.").strip()
    'Fix the test.'
    """
    if "<" not in text:
        return text
    kept, start = [], 0
    for begin, end in sorted(_elements(text)):
        if begin >= start:
            kept.append(text[start:begin])
            start = end
    return "".join([*kept, text[start:]]) if start else text


def _elements(text: str) -> Iterator[tuple[int, int]]:
    for tag in CLIENT_TAGS:
        opening, closing = f"<{tag}>", f"</{tag}>"
        begin = text.find(opening)
        while begin >= 0:
            end = text.find(closing, begin + len(opening))
            if end < 0:
                break
            yield begin, end + len(closing)
            begin = text.find(opening, end + len(closing))
