"""A reply of the embedded engine while it is written, and what it is when it has ended."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from ...core import ToolCall, Usage, read_reply
from ...core.messages import CALL_END
from ..engine import ChatReply, ChatRequest, FinishReason, TokenLogprob
from .decode import Writing
from .text import ReplyText


class WrittenReply:
    """One request with its tokens and their text.

    A call that was made in the same reply already ends it and is left out: asking for the same thing twice at once tells nothing new,
    and a small model that has begun to repeat a call does not find the end.
    """

    def __init__(self, request: ChatRequest, writing: Writing, decode: Callable[[Sequence[int]], str]) -> None:
        self.request = request
        self.writing = writing
        self.text = ReplyText(decode, stop=request.stop, calls=bool(request.tools) and not request.choices)
        self._decode = decode
        self._whole_calls = 0
        # Without stop texts and calls the text is made once, at the end, which is faster.
        self._followed = False
        if request.stop or request.tools:
            self.follow()

    def follow(self) -> list[str]:
        """Make the text while the tokens come; returns a list to which each new piece is added."""
        pieces: list[str] = []

        def watch(tokens: Sequence[int]) -> bool:
            pieces.append(self.text.add(tokens))
            return self.text.stopped or self._repeats_a_call()

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
            usage=Usage(
                prompt_tokens=len(writing.prompt), completion_tokens=len(writing.tokens), seconds=seconds, cached_tokens=writing.reused
            ),
            logprob=writing.logprob / max(1, writing.chosen),
            finish_reason=reason,
            stop=self.text.stop,
            tool_calls=calls,
            tokens=self._token_logprobs() if self.request.logprobs else (),
        )

    def _repeats_a_call(self) -> bool:
        """Whether the call that has just become whole was made before."""
        before, self._whole_calls = self._whole_calls, self.text.called.count(CALL_END)
        if self._whole_calls == before:
            return False
        calls = read_reply(self.text.called)[1]
        return len(_different(calls)) < len(calls)

    def _calls(self) -> tuple[ToolCall, ...]:
        """The calls that are whole; one that the most tokens cut off is none."""
        calls = _different(read_reply(self.text.called)[1])
        # The same conversation gives the same ids, another one others.
        mark = hashlib.sha256(repr((self.writing.prompt, self.writing.tokens)).encode()).hexdigest()[:16]
        return tuple(ToolCall(id=f"call_{mark}_{number}", type="function", function=call["function"]) for number, call in enumerate(calls))

    def _token_logprobs(self) -> tuple[TokenLogprob, ...]:
        written = zip(self.writing.tokens, self.writing.logprobs, strict=True)
        shown = list(written)[:-1] if self.writing.ended else list(written)
        return tuple(TokenLogprob(token=self._decode([token]), logprob=logprob) for token, logprob in shown)


def _different(calls: Sequence[ToolCall]) -> list[ToolCall]:
    """The calls, each once."""
    return [call for place, call in enumerate(calls) if call["function"] not in [one["function"] for one in calls[:place]]]
