"""The OpenAI protocol over HTTP: a client that retries lost connections, and the shapes of what servers answer."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from ..core import EngineUnreachable, MalformedTask, Message, NothingFound, SettingsError, Usage, redact, split_url, tool_call
from .engine import ChatReply, ChatRequest, TokenLogprob, check_options
from .prompts import clean_text

CHAT = "/v1/chat/completions"
"""Where chat completions are asked for."""

PAUSES = (0.05, 0.2, 0.8)
"""Seconds before each new try after a lost connection."""

ERROR_SHOWN = 500
"""Most characters of a server's error text that are passed on."""
ERROR_READ = 20_000
"""Most characters of it that are looked at."""

Shape = TypeVar("Shape", bound=BaseModel)


class Refused(Exception):
    """The server answered with an error status; the engine turns it into a named error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status = status
        self.message = message


class ScoredToken(BaseModel):
    """One token with its log-probability."""

    token: str = ""
    logprob: float


class TokenLogprobs(BaseModel):
    """All written tokens."""

    content: list[ScoredToken] | None = None


class CalledFunction(BaseModel):
    """What a turn calls. A stream gives the arguments in parts, and the name with the first."""

    name: str | None = None
    arguments: str | None = None


class WrittenCall(BaseModel):
    """One call of a tool, or a part of one."""

    index: int | None = None
    id: str | None = None
    function: CalledFunction = CalledFunction()


class Turn(BaseModel):
    """The assistant's turn, or a part of one."""

    content: str | None = None
    tool_calls: list[WrittenCall] | None = None


class ChatChoice(BaseModel):
    """One reply."""

    message: Turn
    logprobs: TokenLogprobs | None = None
    finish_reason: str | None = None
    stop_reason: object = None
    """The stop text that ended it, from servers that say so (vLLM); other servers have something else here, or nothing."""


class TokenCounts(BaseModel):
    """What a request cost."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def usage(self, seconds: float) -> Usage:
        """The same with the time it took."""
        return Usage(prompt_tokens=self.prompt_tokens, completion_tokens=self.completion_tokens, seconds=seconds)


class ChatCompletion(BaseModel):
    """`POST /v1/chat/completions`."""

    choices: list[ChatChoice]
    usage: TokenCounts = TokenCounts()


class ScoredPrompt(BaseModel):
    """One prompt with the log-probability of each of its tokens, keyed by token id."""

    index: int = 0
    prompt_logprobs: list[dict[str, ScoredToken] | None] | None = None


class Completion(BaseModel):
    """`POST /v1/completions`."""

    choices: list[ScoredPrompt]


class Tokens(BaseModel):
    """`POST /tokenize` (vLLM)."""

    tokens: list[int]


class ModelCard(BaseModel):
    """One served name. An adapter has its base as parent and its directory as root."""

    id: str
    root: str | None = None
    parent: str | None = None
    max_model_len: int | None = None


class ModelList(BaseModel):
    """`GET /v1/models`."""

    data: list[ModelCard]


class Nothing(BaseModel):
    """An answer whose body does not matter."""


def api_key(variable: str, setting: str, environ: Mapping[str, str] = os.environ) -> str:
    """The key in the environment variable that a setting names; empty when it names none. Raises `SettingsError` when it is not set."""
    if not variable:
        return ""
    if key := environ.get(variable, "").strip():
        return key
    # The name is not shown: somebody may have put the key itself there.
    raise SettingsError(f"the environment variable that {setting} names is not set or empty; export it with the key in it")


class OpenAIClient:
    """HTTP to one server. Thread-safe; connections are kept and shared.

    `url` may carry a user name and a password; they are sent as Basic authentication unless there is an `api_key`, and stand in no
    message: what the server answers with an error is cut short and its credentials are masked before anybody sees it.
    """

    def __init__(self, url: str, *, api_key: str, timeout: float, connections: int, diagnose: Callable[[], str]) -> None:
        address = split_url(url)
        self.url = address.url.rstrip("/").removesuffix("/v1")
        self._secrets = (api_key, *address.secrets)
        self._timeout = timeout
        self._diagnose = diagnose
        local = urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            auth=(address.user, address.password) if address.user and not api_key else None,
            timeout=httpx.Timeout(timeout, connect=5),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            verify=self.url.startswith("https"),  # reading the certificates takes a tenth of a second; plain HTTP needs none
            trust_env=not local,  # a proxy must not stand between us and our own loopback
        )

    def get(self, path: str, shape: type[Shape]) -> Shape:
        """GET and read. Raises `EngineUnreachable`, or `Refused` on an error status."""
        return self._ask("GET", path, None, shape)

    def post(self, path: str, body: dict[str, Any], shape: type[Shape]) -> Shape:
        """POST JSON and read. Raises `EngineUnreachable`, or `Refused` on an error status."""
        return self._ask("POST", path, body, shape)

    def open_stream(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """POST JSON and return the answer of which nothing but the status was read; the caller closes it. Raises as `post` does."""
        response = self._send("POST", path, body, stream=True)
        try:
            if response.is_error:
                response.read()
            self._check_status(response)
        except httpx.TransportError as error:
            response.close()
            raise self.broken_off(error) from error
        except BaseException:
            response.close()
            raise
        return response

    def broken_off(self, why: Exception | str) -> EngineUnreachable:
        """The error for an answer that ended before its end."""
        reason = f"{type(why).__name__}: {why}" if isinstance(why, Exception) else why
        return EngineUnreachable(f"the answer of {self.url} broke off ({self._shown(reason)}); ask again, or see the server's log")

    def close(self) -> None:
        """Close the connections; any request afterwards raises `EngineUnreachable`."""
        self._http.close()

    def check_open(self) -> None:
        """Raise `EngineUnreachable` after `close`."""
        if self._http.is_closed:
            raise EngineUnreachable(f"the engine for {self.url} was closed; open a new one")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, shape: type[Shape]) -> Shape:
        response = self._send(method, path, body)
        self._check_status(response)
        if shape is Nothing:
            return shape()
        try:
            return shape.model_validate_json(response.content)
        except ValidationError as error:
            raise EngineUnreachable(
                f"{self.url}{path} did not answer as an OpenAI-compatible server does ({self._shown(str(error))}); check the URL"
            ) from error

    def _check_status(self, response: httpx.Response) -> None:
        if response.status_code in (401, 403):
            raise EngineUnreachable(
                f"{self.url} refuses the API key (HTTP {response.status_code}); "
                "put the right one into the environment variable that model.api_key_variable names"
            )
        if response.is_error:
            raise Refused(response.status_code, self._shown(_error_message(response)))

    def _send(self, method: str, path: str, body: dict[str, Any] | None, *, stream: bool = False) -> httpx.Response:
        self.check_open()
        for pause in (*PAUSES, None):
            try:
                return self._http.send(self._http.build_request(method, path, json=body), stream=stream)
            except (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
                raise EngineUnreachable(
                    f"{self.url}{path} did not answer within {self._timeout:.0f} s; allow more time or a shorter reply"
                ) from error
            except (httpx.TransportError, httpx.InvalidURL) as error:
                why = self._diagnose()
                if pause is None or why or isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
                    hint = why or "check the URL and that the server runs"
                    raise EngineUnreachable(
                        f"no connection to {self.url} ({type(error).__name__}: {self._shown(str(error))}); {hint}"
                    ) from error
                time.sleep(pause)
        raise AssertionError("the last try either returns or raises")

    def _shown(self, text: str) -> str:
        """Somebody else's text as it may stand in an error of ours: printable, without credentials, short."""
        printable = "".join(letter if letter.isprintable() else " " for letter in text[:ERROR_READ])
        return redact(printable, self._secrets, limit=ERROR_SHOWN)


def named_error(url: str, refused: Refused, name: str) -> NothingFound | MalformedTask | EngineUnreachable:
    """The error that an error status on a request for the model or adapter `name` means."""
    if refused.status == 404:
        return NothingFound(f"{url} does not serve {name!r}; publish it first ({refused})")
    if refused.status in (400, 413, 422):
        return MalformedTask(f"{url} refused the request for {name!r}: {refused}; shorten or correct it")
    return EngineUnreachable(f"{url} failed on a request for {name!r}: {refused}; see the server's log")


def body_of(request: ChatRequest, messages: Sequence[Message]) -> dict[str, Any]:
    """The body of a chat completion without the model's name. What the request leaves as it is by default is not sent.

    Raises `MalformedTask` for an option that is out of its range.
    """
    check_options(request)
    body: dict[str, Any] = {"messages": list(messages), "temperature": request.temperature, "seed": request.seed, "logprobs": True}
    if request.max_tokens is not None:
        body["max_tokens"] = request.max_tokens
    for name, neutral in (("top_p", 1.0), ("presence_penalty", 0.0), ("frequency_penalty", 0.0)):
        if (value := getattr(request, name)) != neutral:
            body[name] = value
    if request.stop:
        body["stop"] = list(request.stop)
    if request.response_format is not None and not request.choices:
        body["response_format"] = dict(request.response_format)
    if request.tools and not request.choices:
        chosen: Any = request.tool_choice
        if chosen not in ("auto", "none", "required"):
            chosen = {"type": "function", "function": {"name": chosen}}
        body |= {"tools": list(request.tools), "tool_choice": chosen}
        if not request.parallel_tool_calls:
            body["parallel_tool_calls"] = False
    return body


def chat_reply(completion: ChatCompletion, request: ChatRequest, seconds: float, text: str) -> ChatReply:
    """The reply of a completion whose first choice says `text`."""
    choice = completion.choices[0]
    return reply_of(choice, request, completion.usage.usage(seconds), text)


def reply_of(choice: ChatChoice, request: ChatRequest, usage: Usage, text: str) -> ChatReply:
    """The reply that a choice with all its parts is."""
    calls = tuple(
        tool_call(call.function.name or "", call.function.arguments or "", call.id or f"call_{number}")
        for number, call in enumerate(choice.message.tool_calls or ())
    )
    scored = (choice.logprobs.content if choice.logprobs else None) or []
    tokens = tuple(TokenLogprob(token=one.token, logprob=min(0.0, one.logprob)) for one in scored)
    return ChatReply(
        text=text,
        usage=usage,
        # Where the server gives none, nothing is known.
        logprob=min(0.0, math.fsum(one.logprob for one in scored) / len(scored)) if scored else -math.inf,
        finish_reason="length" if choice.finish_reason == "length" else "tool_calls" if calls else "stop",
        stop=choice.stop_reason if isinstance(choice.stop_reason, str) and choice.stop_reason in request.stop else "",
        tool_calls=calls,
        tokens=tokens if request.logprobs else (),
    )


def estimated_tokens(text: str) -> int:
    """Tokens of `text` without a tokenizer: a quarter of its UTF-8 bytes, which is near for English and for other scripts not far off."""
    return math.ceil(len(clean_text(text).encode()) / 4)


def _error_message(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return response.text
    error = body.get("error", body) if isinstance(body, dict) else body
    return str(error.get("message") or error.get("detail") or error) if isinstance(error, dict) else str(error)
