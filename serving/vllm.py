"""The engine that asks a vLLM server, or any other OpenAI-compatible one, with many requests in flight."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from ..core import Adapter, AdapterRejected, EngineUnreachable, MalformedTask, NothingFound, Settings, SettingsError, cancellation
from .adapter_files import AdapterFiles, check_adapter, projection_of, same_model, zero_adapter
from .control_tokens import break_tokens, control_tokens
from .engine import ChatPiece, ChatReply, ChatRequest, Choice, in_one_piece, whole_reply
from .in_flight import InFlight
from .models import locate
from .openai_stream import STREAMED, read_pieces
from .openai_wire import (
    CHAT,
    ChatCompletion,
    Completion,
    ModelCard,
    ModelList,
    Nothing,
    OpenAIClient,
    Refused,
    ScoredPrompt,
    TokenCounts,
    Tokens,
    api_key,
    body_of,
    chat_reply,
    estimated_tokens,
    named_error,
)
from .prompts import clean_messages, clean_text
from .vllm_server import BASE_NULL, RANKS, VLLMServer

T = TypeVar("T")


def open_vllm(settings: Settings) -> VLLMEngine:
    """The engine that `model.engine = "vllm"` means: the server at `model.url`, or one of our own."""
    path = str(locate(settings.model.name))
    if settings.model.url:
        key = api_key(settings.model.api_key_variable, "model.api_key_variable")
        return VLLMEngine(path, url=settings.model.url, api_key=key)
    return VLLMEngine(path, server=VLLMServer(path, max_lora_rank=settings.sleep.rank).start())


class VLLMEngine:
    """An `Engine` over HTTP. Thread-safe; publishing disturbs no request.

    Once it manages adapters at a server, requests for the base go to the zero adapter `base-null`: on CPU, vLLM answers
    base requests wrongly, without an error, when LoRA requests are in the same batch (vllm#48421).
    """

    path: Path | None
    """Directory of the base model's weights, where the model was named by one."""

    def __init__(
        self,
        model: str | Path,
        *,
        url: str = "",
        server: VLLMServer | None = None,
        api_key: str = "",
        in_flight: int = 32,
        timeout: float = 600,
        linger: float = 0.25,
    ) -> None:
        """Either `url` (somebody else's server) or `server`, which is started if it does not run and stopped by `close`.

        `in_flight` is the most requests sent at once, `timeout` the seconds one may take, `linger` the seconds without a request
        after which an adapter that retires counts as idle. Raises `EngineUnreachable` when nobody answers and `NothingFound`
        when `model` is not served there.
        """
        if bool(url) == bool(server):
            raise SettingsError("name either the URL of a running server or a server to be watched, not both or none")
        if server and not server.pid:
            server.start()
        self._model = str(model)
        self.path = Path(model) if Path(model).is_dir() else None
        self._server = server
        self._client = OpenAIClient(
            server.url if server else url,
            api_key=api_key,
            timeout=timeout,
            connections=in_flight,
            diagnose=server.diagnose if server else str,
        )
        self._pool = ThreadPoolExecutor(max_workers=in_flight, thread_name_prefix="vllm")
        self._publishing = Lock()
        self._in_flight = InFlight(linger)
        self._published: dict[str, AdapterFiles] = {}
        self._zero: Path | None = None
        self._tokenizes = True
        self._may_score = False
        self._control: tuple[str, ...] | None = None
        try:
            self._contact()
        except BaseException:
            self.close()
            raise

    @property
    def model(self) -> str:
        """Name of the base model, as adapters record it."""
        return self._model

    @property
    def url(self) -> str:
        """The server's address, without `/v1`."""
        return self._client.url

    @property
    def context(self) -> int:
        """Tokens that a prompt and its answer may have together; 0 where the server does not say."""
        return self._card.max_model_len or 0

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Next turns, all in flight at once.

        Raises `EngineUnreachable`, `NothingFound` for an adapter that is not served, `MalformedTask` for a request that the
        server refuses (a prompt over its context length, for instance), `Cancelled` where `cancelled_by` says so.
        """
        self._client.check_open()
        if (cancelled := cancellation()) and not any(request.choices for request in requests):
            # A server stops writing what nobody waits for when its connection ends, and only a stream can be left in its middle.
            return list(self._pool.map(lambda request: whole_reply(self.stream(request), cancelled), requests))
        started = time.perf_counter()
        replies = list(self._pool.map(self._chat_one, requests))
        share = (time.perf_counter() - started) / max(len(replies), 1)
        return [
            chat_reply(completion, request, share, completion.choices[0].message.content or "")
            for request, completion in zip(requests, replies, strict=True)
        ]

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        """The next turn as the server sends it; a closed iterator closes the connection, at which the server stops. Raises as `chat`."""
        self._client.check_open()
        if request.choices:
            yield from in_one_piece(self.chat([request])[0])
            return
        body = {**self._body(request), **STREAMED}
        with self._in_flight.request(lambda: request.adapter or self._base) as name:
            response = self._send(name, lambda name: self._client.open_stream(CHAT, {**body, "model": name}))
            yield from read_pieces(self._client, response, request)

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        """Rank `options` by the mean log-probability of their tokens after the prompt, the end marker left out.

        Servers that cannot score a prompt, or that it may end (somebody else's vLLM with LoRA), constrain one reply to the
        options instead; the options not taken then have log-likelihood minus infinity.
        """
        if not options or not all(options):
            raise MalformedTask(f"options must be non-empty strings, got {list(options)!r}")
        if self._tokenizes and self._may_score:
            prompt = self._tokenize({"messages": clean_messages(request.messages, self._harmless), "add_generation_prompt": True})
            if prompt is not None:
                return self._choose_scored(request, prompt, options)
        return self._choose_constrained(request, options)

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`; a quarter of its bytes where the server does not tokenise."""
        if not text:
            return 0
        tokens = self._tokenize({"prompt": clean_text(text), "add_special_tokens": False}) if self._tokenizes else None
        return estimated_tokens(text) if tokens is None else len(tokens)

    def publish(self, adapter: Adapter) -> None:
        """Load an adapter into the running server. Files are read before the server is asked.

        Raises `AdapterRejected` when it does not fit, or when its name or directory was used for other weights before:
        the server's prefix cache is keyed by both, so they must never change their meaning.
        """
        files = check_adapter(
            adapter,
            bases={self._model, self._card.id, self._card.root or self._model},
            max_rank=self._server.max_lora_rank if self._server else RANKS[-1],
            layers=self._server.layers.names if self._server and self._server.layers else (),
        )
        with self._publishing:
            self._check_immutable(adapter.name, files)
            if self._zero is None and self._base != BASE_NULL:
                self._manage(zero_adapter(files.path.parent, files.projection, self._model))
            self._load(adapter.name, files.path)
            self._published[adapter.name] = files
            self._in_flight.open(adapter.name)

    def retire(self, name: str) -> None:
        """Unload an adapter after the requests in flight on it have ended. Stop handing out its name first.

        Whoever took the name a moment ago is still answered: the adapter goes after `linger` seconds without a request, at the
        latest after 30 s. The server forgets the name at once; its copy of the weights leaves when other adapters need the room.
        """
        if name in ("", BASE_NULL):
            return
        with self._publishing:
            self._in_flight.close(name)
            try:
                self._client.post("/v1/unload_lora_adapter", {"lora_name": name}, Nothing)
            except Refused as refused:
                if refused.status != 404:  # 404: it is not there, which is what was asked for
                    raise EngineUnreachable(f"{self.url} did not unload {name}: {refused}; restart the server") from refused

    def close(self) -> None:
        """Close connections and stop the server if it is ours."""
        self._pool.shutdown(cancel_futures=True)
        self._client.close()
        if self._server:
            self._server.stop()

    def _contact(self) -> None:
        cards = self._cards()
        own = [card for card in cards if not card.parent and any(same_model(self._model, name) for name in (card.id, card.root or ""))]
        if not own:
            served = [card.id for card in cards if not card.parent]
            raise NothingFound(f"{self.url} does not serve {self._model!r}, it serves {served}; name one of these as the model")
        self._card = own[0]
        self._base = self._card.id
        # The server reads control tokens wherever they stand; of a model without files here the usual ones are known.
        files = next((path for path in (self.path, Path(self._card.root or "")) if path and (path / "tokenizer.json").is_file()), None)
        self._control = control_tokens(files) if files else None
        self._may_score = bool(self._server.layers) if self._server else not self._takes_adapters(cards)
        others = [card for card in cards if card.parent]
        nulls = [card for card in others if card.id == BASE_NULL]
        if nulls:
            self._base, self._zero = BASE_NULL, Path(nulls[0].root or "")
        elif others:  # somebody loaded adapters without a zero adapter
            root = Path(others[0].root or "")
            projection = projection_of(root)
            if projection is None:
                raise EngineUnreachable(
                    f"{self.url} serves adapters but no {BASE_NULL!r}, and {str(root)!r} cannot be read to make one; "
                    "without it base requests may be answered wrongly: start the server without adapters"
                )
            self._manage(zero_adapter(root.parent, projection, self._model))

    def _takes_adapters(self, cards: Sequence[ModelCard]) -> bool:
        """Whether LoRA is on at a server that is not ours: asking it for prompt log-probabilities would end it, were it on CPU."""
        if any(card.parent for card in cards):
            return True
        try:
            self._client.get("/v1/load_lora_adapter", Nothing)
        except Refused as refused:
            return refused.status == 405  # there, but only for POST
        return True

    def _cards(self) -> list[ModelCard]:
        try:
            return self._client.get("/v1/models", ModelList).data
        except Refused as refused:
            raise EngineUnreachable(f"{self.url}/v1/models answered {refused}; is this an OpenAI-compatible server?") from refused

    def _manage(self, zero: Path) -> None:
        """From here on base requests go to the zero adapter; returns when none is left on the bare base."""
        self._load(BASE_NULL, zero)

        def change() -> None:
            self._zero, self._base = zero, BASE_NULL

        self._in_flight.switch(change, self._card.id)

    def _check_immutable(self, name: str, files: AdapterFiles) -> None:
        if name in (BASE_NULL, self._card.id):
            raise AdapterRejected(f"{name!r} is the base model's name; give the adapter a versioned name of its own")
        for known_name, known in self._published.items():
            same_weights = known.sha256 == files.sha256
            if (known_name == name and (known.path != files.path or not same_weights)) or (known.path == files.path and not same_weights):
                raise AdapterRejected(
                    f"adapter {name} at {files.path} reuses the name or directory of {known_name} for other weights; write it to a new one"
                )

    def _load(self, name: str, path: Path) -> None:
        try:
            self._client.post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(path)}, Nothing)
        except Refused as refused:
            if refused.message == "Not Found":
                hint = "start it with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=1"
                raise AdapterRejected(f"{self.url} does not take adapters at run time; {hint}") from refused
            if any(card.id == name and card.root == str(path) for card in self._cards()):
                return  # it was there: another process, or a first try whose answer was lost
            raise AdapterRejected(
                f"{self.url} refused adapter {name} from {path} ({refused}); a server sees only its own file system"
            ) from refused

    def _restore(self, name: str) -> bool:
        """Load a known adapter again, for a server that was started anew behind our back; False when it is not ours."""
        files = None if self._in_flight.is_closed(name) else self._published.get(name)
        if name == BASE_NULL and self._zero:
            self._load(name, self._zero)
        elif files:
            self._load(name, files.path)
        else:
            return False
        return True

    def _ask(self, adapter: str, send: Callable[[str], T]) -> T:
        with self._in_flight.request(lambda: adapter or self._base) as name:
            return self._send(name, send)

    def _send(self, name: str, send: Callable[[str], T]) -> T:
        """Send to a name, and again where it is an adapter that the server has forgotten."""
        try:
            return send(name)
        except Refused as refused:
            if refused.status != 404 or not self._restore(name):
                raise named_error(self.url, refused, name) from refused
        try:
            return send(name)
        except Refused as refused:
            raise named_error(self.url, refused, name) from refused

    def _chat_one(self, request: ChatRequest) -> ChatCompletion:
        body = self._body(request)
        if request.choices:
            body["structured_outputs"] = {"choice": list(request.choices)}
            # A token has at least one byte; a choice must not be cut off in its middle.
            body["max_tokens"] = max(request.max_tokens or 0, 1 + max(len(choice.encode()) for choice in request.choices))
        completion = self._ask(request.adapter, lambda name: self._client.post(CHAT, {**body, "model": name}, ChatCompletion))
        if not completion.choices:
            raise EngineUnreachable(f"{self.url} answered without a reply; see the server's log")
        if request.choices and completion.choices[0].message.content not in request.choices:
            raise EngineUnreachable(f"{self.url} does not constrain replies to given choices; use vLLM, or ask without choices")
        return completion

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        body = body_of(request, clean_messages(request.messages, self._harmless))
        if request.grammar:
            # A server has one library for all constraints: the one that follows our grammars cannot make calls of tools, and the one that
            # can ends a request whose grammar has `%llguidance`, with status 500 (vLLM 0.32).
            raise MalformedTask(f"{self.url} does not follow grammars beside calls of tools; set model.engine to 'embedded'")
        if "tools" in body:
            # Without it vLLM takes the schema of the arguments for a hint, and any JSON value for arguments.
            for position, tool in enumerate(body["tools"]):
                function = tool["function"]
                body["tools"][position] = {**tool, "function": {**function, "strict": function.get("strict") is not False}}
        return body

    def _choose_scored(self, request: ChatRequest, prompt: list[int], options: Sequence[str]) -> Choice:
        started = time.perf_counter()
        bodies = [{"prompt": self._harmless(option), "add_special_tokens": False} for option in options]
        endings = [tokens or [] for tokens in self._pool.map(self._tokenize, bodies)]
        body = {"prompt": [prompt + ending for ending in endings], "max_tokens": 1, "temperature": 0, "prompt_logprobs": 0}
        scored = self._ask(request.adapter, lambda name: self._client.post("/v1/completions", {**body, "model": name}, Completion))
        ordered = sorted(scored.choices, key=lambda choice: choice.index)
        if any(choice.prompt_logprobs is None for choice in ordered):
            return self._choose_constrained(request, options)
        logprobs = tuple(_ending_logprob(choice, ending) for choice, ending in zip(ordered, endings, strict=True))
        read = TokenCounts(prompt_tokens=len(prompt) + sum(map(len, endings)))
        return Choice(index=logprobs.index(max(logprobs)), logprobs=logprobs, usage=read.usage(time.perf_counter() - started))

    def _choose_constrained(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        constrained = ChatRequest(messages=request.messages, adapter=request.adapter, max_tokens=request.max_tokens, choices=options)
        reply = self.chat([constrained])[0]
        index = list(options).index(reply.text)
        logprobs = tuple(reply.logprob if position == index else -math.inf for position in range(len(options)))
        return Choice(index=index, logprobs=logprobs, usage=reply.usage)

    def _harmless(self, text: str) -> str:
        """`text` in which no control token of the served model is left, as in `ChatPrompts.harmless`."""
        return break_tokens(clean_text(text), self._control)

    def _tokenize(self, body: dict[str, object]) -> list[int] | None:
        try:
            return self._client.post("/tokenize", {"model": self._card.id, **body}, Tokens).tokens
        except Refused as refused:
            if refused.status not in (404, 405):
                raise named_error(self.url, refused, self._card.id) from refused
            self._tokenizes = False
            return None


def _ending_logprob(choice: ScoredPrompt, ending: list[int]) -> float:
    """Mean log-probability of a prompt's last tokens, which are `ending`."""
    tail = (choice.prompt_logprobs or [])[-len(ending) :]
    return math.fsum(table[str(token)].logprob for table, token in zip(tail, ending, strict=True) if table) / len(ending)
