"""`OpenAIChat`: the chat completions protocol (https://platform.openai.com/docs/api-reference/chat)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from ...core import Conversation, MalformedTask, Message, Reply, has_text
from .wire import ChatBody, validation_message

PIECE = 24
"""Characters in one piece of a streamed answer."""


class OpenAIChat:
    """A `Codec`. Only text is read: a message with an image is refused by name."""

    name = "openai-chat"
    path = "/v1/chat/completions"

    def parse(self, body: object) -> Conversation:
        """See `Codec.parse`. System and developer messages are both instructions; the last message must be a user's."""
        try:
            read = ChatBody.model_validate(body)
        except ValidationError as error:
            raise MalformedTask(validation_message(error)) from None
        messages: list[Message] = [
            {"role": "system" if one.role == "developer" else one.role, "content": one.text} for one in read.messages
        ]
        if messages[-1]["role"] != "user" or not has_text(messages[-1]):
            raise MalformedTask("the last of messages must be a user's and must hold text that can be seen")
        return Conversation(
            messages=tuple(messages),
            model=read.model,
            user=read.user or "",
            stream=bool(read.stream),
            include_usage=bool(read.stream_options and read.stream_options.include_usage),
            temperature=read.temperature or 0.0,
            max_tokens=read.token_limit,
        )

    def reply(self, reply: Reply, conversation: Conversation) -> dict[str, Any]:
        """A `chat.completion`; what lies behind the answer is under `lifelong`."""
        message = {"role": "assistant", "content": reply.text}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish_reason(reply)}
        return {**_envelope(reply, "chat.completion"), "choices": [choice], "usage": _usage(reply), "lifelong": dict(reply.details)}

    def stream(self, reply: Reply, conversation: Conversation) -> Iterator[str]:
        """Server-sent events: the role, the answer in pieces, the end, the usage if asked for, `[DONE]`."""
        envelope, text = _envelope(reply, "chat.completion.chunk"), reply.text
        deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": text[start : start + PIECE]} for start in range(0, len(text), PIECE)]
        for delta in deltas:
            yield _event({**envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        end = {"index": 0, "delta": {}, "finish_reason": _finish_reason(reply)}
        yield _event({**envelope, "choices": [end], "lifelong": dict(reply.details)})
        if conversation.include_usage:
            yield _event({**envelope, "choices": [], "usage": _usage(reply)})
        yield "data: [DONE]\n\n"

    def error(self, kind: str, message: str) -> dict[str, Any]:
        """OpenAI's shape of an error."""
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}

    def schema(self) -> dict[str, Any]:
        """JSON Schema of a chat request; fields that it does not name are passed over."""
        return ChatBody.model_json_schema()


def _event(payload: dict[str, Any]) -> str:
    return f"data: {json.dumps(payload, ensure_ascii=False)}\n\n"


def _envelope(reply: Reply, kind: str) -> dict[str, Any]:
    return {"id": reply.id, "object": kind, "created": reply.created, "model": reply.model}


def _usage(reply: Reply) -> dict[str, int]:
    read, written = reply.usage.prompt_tokens, reply.usage.completion_tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _finish_reason(reply: Reply) -> str:
    return "length" if reply.cut else "stop"
