"""A reply of the embedded engine while it is written, and what it is when it has ended."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from ...core import ToolCall, Usage, read_reply
from ..engine import ChatReply, ChatRequest, FinishReason, TokenLogprob
from .decode import Writing
from .text import ReplyText


class WrittenReply:
    """One request with its tokens and their text."""

    def __init__(self, request: ChatRequest, writing: Writing, decode: Callable[[Sequence[int]], str]) -> None:
        self.request = request
        self.writing = writing
        self.text = ReplyText(decode, stop=request.stop, calls=bool(request.tools) and not request.choices)
        self._decode = decode
        # Without stop texts the text is made once, at the end, which is faster.
        self._followed = False
        if request.stop:
            self.follow()

    def follow(self) -> list[str]:
        """Make the text while the tokens come; returns a list to which each new piece is added."""
        pieces: list[str] = []

        def watch(tokens: Sequence[int]) -> bool:
            pieces.append(self.text.add(tokens))
            return self.text.stopped

        self._followed = True
        self.writing.watch = watch
        return pieces

    def end(self, seconds: float) -> ChatReply:
        """The whole reply, which took so many seconds."""
        writing = self.writing
        if not self._followed:
            self.text.add(writing.tokens[:-1] if writing.ended else writing.tokens)
        self.text.end()
        calls = self._calls()
        reason: FinishReason = "length" if not (writing.ended or writing.stopped) else "tool_calls" if calls else "stop"
        return ChatReply(
            text=self.text.text,
            usage=Usage(prompt_tokens=len(writing.prompt), completion_tokens=len(writing.tokens), seconds=seconds),
            logprob=writing.logprob / max(1, writing.chosen),
            finish_reason=reason,
            stop=self.text.stop,
            tool_calls=calls,
            tokens=self._token_logprobs() if self.request.logprobs else (),
        )

    def _calls(self) -> tuple[ToolCall, ...]:
        """The calls that are whole; one that the most tokens cut off is none."""
        _, calls = read_reply(self.text.called)
        # The same conversation gives the same ids, another one others.
        mark = hashlib.sha256(repr((self.writing.prompt, self.writing.tokens)).encode()).hexdigest()[:16]
        return tuple(ToolCall(id=f"call_{mark}_{number}", type="function", function=call["function"]) for number, call in enumerate(calls))

    def _token_logprobs(self) -> tuple[TokenLogprob, ...]:
        written = zip(self.writing.tokens, self.writing.logprobs, strict=True)
        shown = list(written)[:-1] if self.writing.ended else list(written)
        return tuple(TokenLogprob(token=self._decode([token]), logprob=logprob) for token, logprob in shown)
