"""A protocol of chat clients with as few fields as can be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lifelong.core import Conversation, MalformedTask, Message, Reply

ROLES = ("system", "user", "assistant")


class PlainCodec:
    """A request is `{"turns": [[role, text], ...], "stream": bool}`, an answer `{"id", "text", "model", "tokens", "cut"}`."""

    name = "plain"
    path = "/plain"

    def parse(self, body: object) -> Conversation:
        turns = body.get("turns") if isinstance(body, dict) else None
        if not isinstance(turns, list) or not all(_is_turn(turn) for turn in turns):
            raise MalformedTask("turns must be a list of [role, text]")
        messages: list[Message] = [{"role": role, "content": text} for role, text in turns]
        if not messages or messages[-1]["role"] != "user" or not str(messages[-1]["content"]).strip():
            raise MalformedTask("the last of turns must be a user's and must hold text")
        stream = bool(isinstance(body, dict) and body.get("stream"))
        return Conversation(messages=tuple(messages), model="lifelong", stream=stream, include_usage=stream)

    def reply(self, reply: Reply, conversation: Conversation) -> dict[str, Any]:
        tokens = [reply.usage.prompt_tokens, reply.usage.completion_tokens]
        return {"id": reply.id, "text": reply.text, "model": reply.model, "tokens": tokens, "cut": reply.cut}

    def stream(self, reply: Reply, conversation: Conversation) -> Iterator[str]:
        yield f"data: {json.dumps(self.reply(reply, conversation))}\n\n"

    def error(self, kind: str, message: str) -> dict[str, Any]:
        return {"problem": message}

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "required": ["turns"]}


def _is_turn(turn: object) -> bool:
    return isinstance(turn, list) and len(turn) == 2 and turn[0] in ROLES and isinstance(turn[1], str)
