"""What a request says beside its protocol: its JSON, its tenant, and what makes it refused before anything reads it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from threading import Event
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.types import Receive, Scope

from ...core import MalformedTask, tenant_name
from .protocols.fields import validation_message

T = TypeVar("T")
Body = TypeVar("Body", bound=BaseModel)

TENANT_HEADER = "X-Lifelong-Tenant"
DEFAULT_TENANT = "default"


def tenant_of(request: Request, user: str | None, *, required: bool) -> str:
    """The tenant of a request: the header, else the body's `user`, else `default`.

    The header's bytes are UTF-8, so that one name is one tenant whichever way it comes. Raises `MalformedTask` for a name that is
    no text, blank (an empty header too) or too long, and, where a tenant is required, for a request without one.
    """
    named = [value for name, value in request.scope["headers"] if name == TENANT_HEADER.lower().encode()]
    if len(named) > 1:
        raise MalformedTask(f"{TENANT_HEADER} is given {len(named)} times; send it once")
    if named:
        try:
            return tenant_name(named[0].decode("utf-8"))
        except UnicodeDecodeError:
            raise MalformedTask(f"{TENANT_HEADER} is not UTF-8 text; encode the name as UTF-8") from None
    if user:
        return tenant_name(user)
    if required:
        raise MalformedTask(f"this gateway answers named tenants only; send the header {TENANT_HEADER}, or `user` in the body")
    return DEFAULT_TENANT


def validated(model: type[Body], body: object) -> Body:
    """A body as a model of pydantic. Raises `MalformedTask`."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise MalformedTask(validation_message(error)) from None


async def body_text(request: Request) -> str:
    """The body as text. Raises `MalformedTask` for what is not declared as JSON, or is no text."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise MalformedTask(f"the Content-Type is {kind or 'missing'!r}; send application/json")
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise MalformedTask(f"the body is not valid JSON: it is no UTF-8 text ({error.reason})") from None


async def json_body(request: Request) -> object:
    """The decoded body. Raises `MalformedTask` for what is not JSON, or holds numbers or text that JSON does not allow."""
    text = await body_text(request)
    try:
        body = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:
            json.dumps(body, ensure_ascii=False).encode()  # lone surrogates are no text
    except UnicodeEncodeError:
        raise MalformedTask("the body holds half of a surrogate pair, which is no text; send whole characters") from None
    except (ValueError, RecursionError) as error:
        raise MalformedTask(f"the body is not valid JSON: {error}") from None
    return body


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


async def client_left(receive: Receive) -> None:
    """Return when the client of a request whose body has been read ends its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_connected(receive: Receive, work: Awaitable[T], cancelled: Event) -> T:
    """The result of `work`; `cancelled` is set where the client leaves before, or the server ends."""

    async def watched() -> None:
        await client_left(receive)
        cancelled.set()

    watch = asyncio.ensure_future(watched())
    try:
        return await work
    except asyncio.CancelledError:
        cancelled.set()
        raise
    finally:
        watch.cancel()


def refusal(scope: Scope, hosts: frozenset[str]) -> tuple[int, str] | None:
    """Status and reason for a request that nothing should read, None for any other.

    Two lengths in one request let a proxy and this server disagree about where it ends (RFC 9112, section 6.3). An unknown `Host`
    is how a web page reaches a server on the reader's own machine (DNS rebinding).
    """
    headers = scope["headers"]
    names = {name for name, _ in headers}
    if b"content-length" in names and b"transfer-encoding" in names:
        return 400, "the request has both Content-Length and Transfer-Encoding; send one of them"
    host = next((value for name, value in headers if name == b"host"), b"").decode("latin-1").lower()
    if "*" not in hosts and host and _without_port(host) not in hosts:
        return 421, f"the gateway does not answer for the host {host[:100]!r}; add it to the setting gateway.hosts"
    return None


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
