"""The server behind the gateway: requests go there as they came, and answers are read while they arrive."""

from __future__ import annotations

from collections.abc import Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from ...core import EngineUnreachable, redact
from ...serving import UpstreamAddress
from .transports.pool import ConnectionPool

CONNECT_SECONDS = 10
KEEP_SECONDS = 30
"""For which an idle connection is kept."""

Headers = list[tuple[bytes, bytes]]
"""Names in lower case, and values, as ASGI has them."""

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade".split()
)
"""Headers of one connection, not of the message (RFC 9110, section 7.6.1)."""

CREDENTIALS = frozenset((b"authorization", b"x-api-key", b"api-key"))
"""What a client may prove itself with; its own goes on only where no key is set here."""

KEPT_HERE = frozenset((b"host", b"content-length", b"accept-encoding", b"expect", b"cookie", b"origin", b"referer"))
"""Request headers about the way to this gateway; cookies of one host are nobody else's."""

NOT_RETURNED = frozenset((b"content-length", b"date", b"server", b"set-cookie", b"content-encoding"))
"""Response headers that are made anew here. Bodies are decoded, so that they can be read; a cookie would be for another host."""

OWN_PREFIX = b"x-lifelong-"

CONVERSATION = "lifelong.conversation"
"""Extension of a request to an engine in this process: what tells the tenant's session from all others; empty where it is not known."""


class Upstream:
    """An asynchronous client of one server. Use from one event loop; no thread waits for an answer.

    `seconds`: how long the server may be silent.
    """

    def __init__(
        self, address: UpstreamAddress, *, connections: int, seconds: float, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """`transport`, where given, stands in the place of the network: see `EngineTransport`."""
        self.model = address.model
        """The model's name there."""
        self.url = address.url
        """Its address without `/v1`, for messages; it holds no credentials."""
        self._key = address.key
        self._has_own = bool(address.key or address.user)
        self._secrets = address.secrets
        local = urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")
        self._http = httpx.AsyncClient(
            base_url=self.url,
            auth=(address.user, address.password) if address.user and not address.key else None,
            timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=seconds),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEEP_SECONDS),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # one client's cookie must not go out with another's request
            verify=self.url.startswith("https"),
            trust_env=not local,
            transport=transport or self._pool(connections, proxied=not local and bool(getproxies())),
        )

    def _pool(self, connections: int, *, proxied: bool) -> httpx.AsyncBaseTransport | None:
        """Connections of our own; None where a proxy stands between, which httpx knows how to speak to."""
        if proxied:
            return None
        tls = httpx.create_ssl_context() if self.url.startswith("https") else None
        return ConnectionPool(self.url, connections=connections, keep_seconds=KEEP_SECONDS, tls=tls)

    async def send(
        self, method: str, target: str, headers: Iterable[tuple[bytes, bytes]], body: bytes, conversation: str = ""
    ) -> httpx.Response:
        """The answer, its body unread; whoever gets it closes it. Raises `EngineUnreachable`.

        `conversation` names the tenant's session to an engine in this process; over a network it is not sent.

        A connection that the server had closed meanwhile is replaced once; nothing was answered on it, so nothing is asked twice.
        """
        for last in (False, True):
            request = self._http.build_request(
                method, target, headers=self._headers(headers, target), content=body or None, extensions={CONVERSATION: conversation}
            )
            try:
                return await self._http.send(request, stream=True)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
                if last:
                    raise self._unreachable(error) from error
            except (httpx.TransportError, httpx.InvalidURL) as error:
                raise self._unreachable(error) from error
        raise AssertionError("the last try either returns or raises")

    def hidden(self, body: bytes) -> bytes:
        """An error's body without credentials of ours."""
        for secret in self._secrets:
            body = body.replace(secret.encode(), b"***")
        return body

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _unreachable(self, error: Exception) -> EngineUnreachable:
        if isinstance(error, httpx.TimeoutException):
            return EngineUnreachable(f"{self.url} did not answer in time ({type(error).__name__}); try again, or ask for a shorter answer")
        return EngineUnreachable(redact(f"no connection to {self.url} ({type(error).__name__}: {error}); check that the server runs"))

    def _headers(self, headers: Iterable[tuple[bytes, bytes]], target: str) -> Headers:
        headers = list(headers)
        named = {name.strip().lower() for key, value in headers if key == b"connection" for name in value.split(b",")}
        dropped = HOP_BY_HOP | KEPT_HERE | named | (CREDENTIALS if self._has_own else frozenset())
        kept = [(name, value) for name, value in headers if name not in dropped and not name.startswith(OWN_PREFIX)]
        kept.append((b"accept-encoding", b"identity"))
        if self._key:
            kept.append((b"authorization", f"Bearer {self._key}".encode()))
            if target.startswith("/v1/messages"):
                kept.append((b"x-api-key", self._key.encode()))
        return kept


def returned_headers(response: httpx.Response) -> Headers:
    """The headers of an answer that are the client's business: all but those of the connection."""
    raw = [(name.lower(), value) for name, value in response.headers.raw]
    named = {name.strip().lower() for key, value in raw if key == b"connection" for name in value.split(b",")}
    return [(name, value) for name, value in raw if name not in HOP_BY_HOP | NOT_RETURNED | named]
