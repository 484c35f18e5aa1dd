"""The OpenAI protocol over HTTP: a client that retries lost connections, and the shapes of what servers answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from ..core import EngineUnreachable

PAUSES = (0.05, 0.2, 0.8)
"""Seconds before each new try after a lost connection."""

Shape = TypeVar("Shape", bound=BaseModel)


class Refused(Exception):
    """The server answered with an error status; the engine turns it into a named error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status = status
        self.message = message


class TokenLogprob(BaseModel):
    """One written token."""

    logprob: float


class TokenLogprobs(BaseModel):
    """All written tokens."""

    content: list[TokenLogprob] | None = None


class Turn(BaseModel):
    """The assistant's turn."""

    content: str | None = None


class ChatChoice(BaseModel):
    """One reply."""

    message: Turn
    logprobs: TokenLogprobs | None = None
    finish_reason: str | None = None


class TokenCounts(BaseModel):
    """What a request cost."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class ChatCompletion(BaseModel):
    """`POST /v1/chat/completions`."""

    choices: list[ChatChoice]
    usage: TokenCounts = TokenCounts()


class ScoredPrompt(BaseModel):
    """One prompt with the log-probability of each of its tokens, keyed by token id."""

    index: int = 0
    prompt_logprobs: list[dict[str, TokenLogprob] | None] | None = None


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


class ModelList(BaseModel):
    """`GET /v1/models`."""

    data: list[ModelCard]


class Nothing(BaseModel):
    """An answer whose body does not matter."""


class OpenAIClient:
    """HTTP to one server. Thread-safe; connections are kept and shared."""

    def __init__(self, url: str, *, api_key: str, timeout: float, connections: int, diagnose: Callable[[], str]) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self._timeout = timeout
        self._diagnose = diagnose
        local = urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
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

    def close(self) -> None:
        self._http.close()

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, shape: type[Shape]) -> Shape:
        response = self._send(method, path, body)
        if response.status_code in (401, 403):
            raise EngineUnreachable(f"{self.url} refuses the API key (HTTP {response.status_code}); set the right one")
        if response.is_error:
            raise Refused(response.status_code, _error_message(response))
        if shape is Nothing:
            return shape()
        try:
            return shape.model_validate_json(response.content)
        except ValidationError as error:
            raise EngineUnreachable(
                f"{self.url}{path} did not answer as an OpenAI-compatible server does ({error}); check the URL"
            ) from error

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        for pause in (*PAUSES, None):
            try:
                return self._http.request(method, path, json=body)
            except (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
                raise EngineUnreachable(
                    f"{self.url}{path} did not answer within {self._timeout:.0f} s; allow more time or a shorter reply"
                ) from error
            except (httpx.TransportError, httpx.InvalidURL) as error:
                why = self._diagnose()
                if pause is None or why or isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
                    hint = why or "check the URL and that the server runs"
                    raise EngineUnreachable(f"no connection to {self.url} ({type(error).__name__}: {error}); {hint}") from error
                time.sleep(pause)
        raise AssertionError("the last try either returns or raises")


def _error_message(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return response.text[:500]
    error = body.get("error", body) if isinstance(body, dict) else body
    return str(error.get("message") or error.get("detail") or error)[:500] if isinstance(error, dict) else str(error)[:500]
