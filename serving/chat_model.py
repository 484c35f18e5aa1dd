"""Any engine as a LangChain chat model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, SystemMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict

from ..core import MalformedTask, Message
from .engine import ChatReply, ChatRequest, Engine

_ROLES = ("system", "user", "assistant")


class EngineChatModel(BaseChatModel):
    """A LangChain `BaseChatModel` over an `Engine`; `model.bind(adapter="lifelong-v0003")` answers with an adapter.

    The reply's `response_metadata` holds `logprob` (mean natural-log probability), `finish_reason` and `model_name`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Engine
    """Where the model runs; it is not closed here."""
    adapter: str = ""
    """A published adapter's name, empty for the base."""
    max_tokens: int = 128
    """Most tokens of a reply."""
    temperature: float = 0.0
    """0 is greedy."""
    seed: int = 0
    """Seed of sampling."""

    @property
    def _llm_type(self) -> str:
        return "lifelong-engine"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.engine.model, "adapter": self.adapter, "max_tokens": self.max_tokens, "temperature": self.temperature}

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> ChatResult:
        reply = self.engine.chat([self._request(messages, kwargs)])[0]
        text, reason = _cut(reply, stop)
        message = AIMessage(content=text, usage_metadata=_usage(reply), response_metadata=self._metadata(reply, reason))
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await asyncio.to_thread(self._generate, messages, stop, None, **kwargs)

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        """The whole reply as one chunk: an engine answers in one piece."""
        message = self._generate(messages, stop, run_manager, **kwargs).generations[0].message
        assert isinstance(message, AIMessage)
        chunk = AIMessageChunk(content=message.content, usage_metadata=message.usage_metadata, response_metadata=message.response_metadata)
        yield ChatGenerationChunk(message=chunk)

    def _request(self, messages: list[BaseMessage], options: dict[str, Any]) -> ChatRequest:
        if not isinstance(messages[0], SystemMessage):
            # Some chat templates write a system turn of their own unless there is one.
            messages = [SystemMessage(""), *messages]
        turns: list[Message] = []
        for row in convert_to_openai_messages(messages, text_format="string"):
            if row["role"] not in _ROLES or not isinstance(row["content"], str):
                raise MalformedTask(f"a {row['role']} message cannot be shown to the model; send text of {', '.join(_ROLES)} only")
            turns.append({"role": row["role"], "content": row["content"]})
        chosen = {name: options.get(name, getattr(self, name)) for name in ("adapter", "max_tokens", "temperature", "seed")}
        return ChatRequest(messages=turns, choices=tuple(options.get("choices", ())), **chosen)

    def _metadata(self, reply: ChatReply, reason: str) -> dict[str, Any]:
        return {"model_name": self.engine.model, "finish_reason": reason, "logprob": reply.logprob}


def _cut(reply: ChatReply, stop: list[str] | None) -> tuple[str, str]:
    ends = [reply.text.find(word) for word in stop or () if word in reply.text]
    if ends:
        return reply.text[: min(ends)], "stop"
    return reply.text, "stop" if reply.finished else "length"


def _usage(reply: ChatReply) -> Any:
    usage = reply.usage
    return {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens, "total_tokens": usage.tokens}
