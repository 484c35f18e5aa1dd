"""An engine without a model: it writes backwards every word that it is asked about, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lifelong.core import Adapter, EngineUnreachable, MalformedTask, Settings, Usage
from lifelong.serving import ChatPiece, ChatReply, ChatRequest, Choice, check_options, in_one_piece


class FlipEngine:
    """Answers "Write WORD backwards."; it learns nothing, so an adapter changes nothing."""

    model = "flip"

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.model.max_tokens
        self._closed = False

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        if self._closed:
            raise EngineUnreachable("this engine is closed; open another")
        replies = []
        for request in requests:
            check_options(request)
            if request.grammar:
                raise MalformedTask("this engine follows no grammar; leave it out")
            read = sum(self.count_tokens(str(message["content"])) for message in request.messages)
            words = re.findall(r"Write (\w+) backwards", str(request.messages[-1]["content"]))
            text = request.choices[0] if request.choices else words[0][::-1] if words else "?"
            text = min((text.partition(mark)[0] for mark in request.stop), key=len, default=text)
            # A reply is its word and the end of it.
            written = 2 if request.max_tokens is None else min(2, request.max_tokens)
            finish = "stop" if written == 2 else "length"
            replies.append(
                ChatReply(text=text, usage=Usage(prompt_tokens=read, completion_tokens=written), logprob=-0.1, finish_reason=finish)
            )
        return replies

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        yield from in_one_piece(self.chat([request])[0])

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        if not options or not all(options):
            raise MalformedTask("options must be non-empty strings")
        logprobs = tuple(-float(len(option)) for option in options)
        return Choice(index=logprobs.index(max(logprobs)), logprobs=logprobs, usage=Usage())

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def publish(self, adapter: Adapter) -> None:
        pass

    def retire(self, name: str) -> None:
        pass

    def close(self) -> None:
        self._closed = True
