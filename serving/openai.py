"""The engine for any URL that speaks the OpenAI protocol: no local weights, no tokenizer, no adapters."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ..core import Adapter, AdapterRejected, EngineUnreachable, MalformedTask, NothingFound, Settings, SettingsError, split_url
from .adapter_files import same_model
from .engine import ChatPiece, ChatReply, ChatRequest, Choice, UpstreamAddress, in_one_piece
from .openai_stream import STREAMED, read_pieces
from .openai_wire import CHAT, ChatCompletion, ModelList, OpenAIClient, Refused, api_key, body_of, chat_reply, estimated_tokens, named_error
from .prompts import clean_messages

log = logging.getLogger("lifelong")

T = TypeVar("T")

OPTIONAL = ("logprobs", "seed", "temperature", "max_tokens")
"""Parameters that some servers or models refuse; one that is refused is left out from then on, with a warning (`max_tokens` gets its
newer name). Every other option of a request is refused with the server's own words."""


def open_openai(settings: Settings) -> OpenAIEngine:
    """The engine that `model.engine = "openai"` means."""
    if not settings.model.url:
        raise SettingsError("model.engine 'openai' needs model.url, such as https://api.openai.com/v1 or http://127.0.0.1:8000/v1")
    key = api_key(settings.model.api_key_variable, "model.api_key_variable")
    return OpenAIEngine(settings.model.name, url=settings.model.url, api_key=key)


class OpenAIEngine:
    """An `Engine` over HTTP that asks for nothing but chat completions. Thread-safe.

    It serves, remembers and reflects; adapters cannot be published, since the weights are somebody else's.
    """

    def __init__(self, model: str, *, url: str, api_key: str = "", in_flight: int = 32, timeout: float = 600) -> None:
        """`model` is the name at `url`, empty: the first that the server lists; `in_flight` the most requests sent at once, `timeout` the
        seconds one may take.

        Raises `EngineUnreachable` when nobody answers and `NothingFound` when the server lists its models and `model` is not one.
        """
        self._client = OpenAIClient(url, api_key=api_key, timeout=timeout, connections=in_flight, diagnose=str)
        self._api_key = api_key
        self._given_url = url
        self._pool = ThreadPoolExecutor(max_workers=in_flight, thread_name_prefix="openai")
        self._refused: set[str] = set()
        try:
            self._model = self._served_name(model)
        except BaseException:
            self.close()
            raise

    @property
    def model(self) -> str:
        """The model's name at the server."""
        return self._model

    @property
    def url(self) -> str:
        """The server's address, without `/v1`."""
        return self._client.url

    @property
    def upstream(self) -> UpstreamAddress:
        """Where the server is, for whoever passes requests on to it."""
        address = split_url(self._given_url)
        return UpstreamAddress(model=self._model, url=self.url, key=self._api_key, user=address.user, password=address.password)

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Next turns, all in flight at once; `logprob` is minus infinity where the server gives none.

        Raises `EngineUnreachable`, `NothingFound` for any adapter, `MalformedTask` for a request that the server refuses.
        """
        for request in requests:
            if request.adapter:
                raise NothingFound(f"adapter {request.adapter} is not served at {self.url}; ask for the base model")
            self._refuse_grammar(request)
        self._client.check_open()
        started = time.perf_counter()
        replies = list(self._pool.map(self._chat_one, requests))
        share = (time.perf_counter() - started) / max(len(replies), 1)
        return [chat_reply(completion, request, share, text) for request, (completion, text) in zip(requests, replies, strict=True)]

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        """The next turn as the server sends it; a closed iterator closes the connection. One of `choices` comes whole. Raises as `chat`."""
        self._refuse_grammar(request)
        if request.adapter or request.choices:
            yield from in_one_piece(self.chat([request])[0])
            return
        body = {"model": self._model, **body_of(request, clean_messages(request.messages)), **STREAMED}
        response = self._accept(body, lambda body: self._client.open_stream(CHAT, body))
        yield from read_pieces(self._client, response, request)

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        """The option that the model picks when its reply must be one of them; the others have log-likelihood minus infinity."""
        if not options or not all(options):
            raise MalformedTask(f"options must be non-empty strings, got {list(options)!r}")
        constrained = ChatRequest(messages=request.messages, adapter=request.adapter, max_tokens=request.max_tokens, choices=options)
        reply = self.chat([constrained])[0]
        index = list(options).index(reply.text)
        # Without log-probabilities from the server the pick still ranks above what was not picked.
        picked = reply.logprob if math.isfinite(reply.logprob) else 0.0
        return Choice(index=index, logprobs=tuple(picked if at == index else -math.inf for at in range(len(options))), usage=reply.usage)

    def count_tokens(self, text: str) -> int:
        """An estimate: the tokenizer is at the server."""
        return estimated_tokens(text)

    def publish(self, adapter: Adapter) -> None:
        """Raises `AdapterRejected`."""
        raise AdapterRejected(
            f"adapter {adapter.name} cannot be loaded at {self.url}: with model.engine 'openai' the weights are the server's; "
            "use 'embedded', or 'vllm' with LoRA switched on"
        )

    def retire(self, name: str) -> None:
        """Does nothing: no adapter was ever published."""

    def close(self) -> None:
        """Close the connections. May be called twice."""
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def _refuse_grammar(self, request: ChatRequest) -> None:
        if request.grammar:
            raise MalformedTask(f"{self.url} is not known to constrain replies to a grammar; set model.engine to 'embedded' or 'vllm'")

    def _served_name(self, model: str) -> str:
        try:
            cards = self._client.get("/v1/models", ModelList).data
        except Refused as refused:
            if refused.status in (403, 404, 405, 501):
                return model  # it does not list its models
            raise EngineUnreachable(f"{self.url}/v1/models answered {refused}; is this an OpenAI-compatible server?") from refused
        if not model and cards:
            return cards[0].id
        found = [card.id for card in cards if card.id == model] or [card.id for card in cards if same_model(card.id, model)]
        if cards and not found:
            raise NothingFound(f"{self.url} does not serve {model!r}; set model.name to one of {[card.id for card in cards][:20]}")
        return found[0] if found else model

    def _chat_one(self, request: ChatRequest) -> tuple[ChatCompletion, str]:
        body: dict[str, Any] = {"model": self._model, **body_of(request, clean_messages(request.messages))}
        if request.choices:
            body["response_format"] = _one_of(request.choices)
            # A token has at least one byte; the answer and the JSON around it must not be cut off.
            body["max_tokens"] = max(request.max_tokens or 0, 32 + 2 * max(len(json.dumps(choice)) for choice in request.choices))
        completion = self._accept(body, lambda body: self._client.post(CHAT, body, ChatCompletion))
        if not completion.choices:
            raise EngineUnreachable(f"{self.url} answered without a reply; see the server's log")
        text = completion.choices[0].message.content or ""
        return completion, self._chosen(text, request.choices) if request.choices else text

    def _accept(self, body: dict[str, Any], send: Callable[[dict[str, Any]], T]) -> T:
        """Send a body, and again without a parameter of `OPTIONAL` that the server refuses."""
        while True:
            try:
                return send(self._accepted(body))
            except Refused as refused:
                word = next((name for name in OPTIONAL if name in refused.message and name not in self._refused), "")
                if refused.status not in (400, 422) or not word:
                    raise named_error(self.url, refused, self._model) from refused
                log.warning("%s does not take %s; it is left out from now on", self.url, word)
                self._refused.add(word)

    def _accepted(self, body: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in body.items() if name not in self._refused}
        renamed = "max_tokens" in self._refused and "max_tokens" in body
        return kept | {"max_completion_tokens": body["max_tokens"]} if renamed else kept

    def _chosen(self, text: str, choices: Sequence[str]) -> str:
        try:
            value = json.loads(text)["choice"]
        except (ValueError, KeyError, TypeError):
            value = text.strip()
        if value not in choices:
            raise EngineUnreachable(f"{self.url} does not constrain replies to a JSON schema; use vLLM, or ask without choices")
        return str(value)


def _one_of(choices: Sequence[str]) -> dict[str, Any]:
    """Structured output (https://platform.openai.com/docs/guides/structured-outputs): an object whose only field is one of `choices`."""
    schema = {
        "type": "object",
        "properties": {"choice": {"type": "string", "enum": list(choices)}},
        "required": ["choice"],
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "choice", "strict": True, "schema": schema}}
