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
_OPTIONS = ("top_p", "presence_penalty", "frequency_penalty", "response_format")
"""Options of a request that a call may set."""


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
        reply = self.engine.chat([self._request(messages, stop, kwargs)])[0]
        message = AIMessage(content=reply.text, usage_metadata=_usage(reply), response_metadata=self._metadata(reply))
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
        """The reply as it is written; what it cost comes with the last chunk."""
        for piece in self.engine.stream(self._request(messages, stop, kwargs)):
            message = AIMessageChunk(content=piece.text)
            if piece.reply is not None:
                message = AIMessageChunk(
                    content=piece.text, usage_metadata=_usage(piece.reply), response_metadata=self._metadata(piece.reply)
                )
            yield ChatGenerationChunk(message=message)

    def _request(self, messages: list[BaseMessage], stop: list[str] | None, options: dict[str, Any]) -> ChatRequest:
        if not isinstance(messages[0], SystemMessage):
            # Some chat templates write a system turn of their own unless there is one.
            messages = [SystemMessage(""), *messages]
        turns: list[Message] = []
        for row in convert_to_openai_messages(messages, text_format="string"):
            if row["role"] not in _ROLES or not isinstance(row["content"], str):
                raise MalformedTask(f"a {row['role']} message cannot be shown to the model; send text of {', '.join(_ROLES)} only")
            turns.append({"role": row["role"], "content": row["content"]})
        chosen = {name: options.get(name, getattr(self, name)) for name in ("adapter", "max_tokens", "temperature", "seed")}
        chosen |= {name: options[name] for name in _OPTIONS if options.get(name) is not None}
        return ChatRequest(messages=turns, choices=tuple(options.get("choices", ())), stop=tuple(stop or ()), **chosen)

    def _metadata(self, reply: ChatReply) -> dict[str, Any]:
        return {"model_name": self.engine.model, "finish_reason": reply.finish_reason, "logprob": reply.logprob}


def _usage(reply: ChatReply) -> Any:
    usage = reply.usage
    return {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens, "total_tokens": usage.tokens}
