"""Tokens in, text out: what of a reply can be shown already, and where it ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...core.messages import CALL_BEGIN

_UNFINISHED = "\ufffd"
"""How a decoder shows the bytes of a character that is not whole yet."""


class ReplyText:
    """The text of one reply while its tokens come.

    What may be the beginning of a stop text or of a tool call waits until it is known to be none. Pieces, joined, are the same however
    the tokens were handed over.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], *, stop: Sequence[str] = (), calls: bool = False) -> None:
        """`decode` turns tokens into text. With `calls` what follows the first mark of a call is kept apart, and the text stands alone
        without blanks around it.
        """
        self._decode = decode
        self._stop = tuple(text for text in stop if text)
        self._calls = calls
        self._marks = (*self._stop, *([CALL_BEGIN] if calls else ()))
        self._tokens: list[int] = []
        self._shown = self._read = 0
        self._waiting = ""
        self.text = ""
        """What was given out so far."""
        self.called = ""
        """The text of the calls, from the first mark on."""
        self.stop = ""
        """The stop text that came."""

    @property
    def stopped(self) -> bool:
        """Whether a stop text came."""
        return bool(self.stop)

    def add(self, tokens: Sequence[int]) -> str:
        """The text that is certain after these tokens, as far as it was not given out yet."""
        self._tokens += tokens
        new = self._decoded(self._tokens[self._read :])[len(self._decoded(self._tokens[self._read : self._shown])) :]
        if new.endswith(_UNFINISHED):
            return ""
        # The tokens before are decoded again with the next: some decoders write a token otherwise at the beginning of a text.
        self._read, self._shown = self._shown, len(self._tokens)
        return self._sort(new, last=False)

    def end(self) -> str:
        """What still waits, when no token follows."""
        new = self._decoded(self._tokens[self._read :])[len(self._decoded(self._tokens[self._read : self._shown])) :]
        self._read = self._shown = len(self._tokens)
        return self._sort(new, last=True)

    def _decoded(self, tokens: Sequence[int]) -> str:
        return self._decode(tokens) if tokens else ""

    def _sort(self, new: str, *, last: bool) -> str:
        if self.stopped:
            return ""
        if self.called:
            self.called += new
            return ""
        self._waiting += new
        found = min(((place, mark) for mark in self._marks if (place := self._waiting.find(mark)) >= 0), default=None)
        if found is not None:
            place, mark = found
            self.stop = mark if mark in self._stop else ""
            self.called = "" if self.stopped else self._waiting[place:]
            self._waiting, last = self._waiting[:place], True
        return self._give(0 if last else _begun(self._waiting, self._marks), last=last)

    def _give(self, held: int, *, last: bool) -> str:
        certain, self._waiting = self._waiting[: len(self._waiting) - held], self._waiting[len(self._waiting) - held :]
        if self._calls:
            certain = certain if self.text else certain.lstrip()
            bare = certain.rstrip()
            if not last:
                self._waiting = certain[len(bare) :] + self._waiting
            certain = bare
        self.text += certain
        return certain


def _begun(text: str, marks: Sequence[str]) -> int:
    """Characters at the end of a text with which one of the marks may begin."""
    longest = max(map(len, marks), default=1) - 1
    return next((held for held in range(min(longest, len(text)), 0, -1) if any(mark.startswith(text[-held:]) for mark in marks)), 0)
