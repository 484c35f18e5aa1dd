"""Errors as clients see them: a status, a type, and words without secrets of this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Scope

from ...core import EngineUnreachable, LifelongError, MalformedTask, NothingFound, StoreError, redact
from .workers import Overloaded


class BadReply(EngineUnreachable):
    """The server that a request was passed on to answered with something that is no answer."""


STATUS: tuple[tuple[type[LifelongError], int, str], ...] = (
    (MalformedTask, 400, "invalid_request_error"),
    (NothingFound, 404, "invalid_request_error"),
    (Overloaded, 503, "service_unavailable"),
    (BadReply, 502, "bad_gateway"),
    (EngineUnreachable, 503, "service_unavailable"),
    (StoreError, 503, "service_unavailable"),
)
"""HTTP status and OpenAI error type of each named error; any other is a 500."""


def error_body(kind: str, message: str) -> dict[str, Any]:
    """An error in the shape that OpenAI's clients read."""
    return {"error": {"message": redact(message), "type": kind, "param": None, "code": None}}


SHAPE = "lifelong.error"
"""Where a request's scope has the function that gives errors the shape of its protocol; without it they are OpenAI's."""


def error_response(scope: Scope, status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error in the shape of the request's protocol."""
    return JSONResponse(scope.get(SHAPE, error_body)(kind, redact(message)), status, headers)


async def named_error(request: Request, error: Exception) -> JSONResponse:
    """A `LifelongError` by its status, in the shape of the request's protocol."""
    return codec_error(request.scope.get(SHAPE, error_body), error)


def codec_error(body: Callable[[str, str], dict[str, Any]], error: Exception) -> JSONResponse:
    """A `LifelongError` by its status, in the shape of a codec; where another try may help, `Retry-After` says when."""
    status, kind = next(((status, kind) for named, status, kind in STATUS if isinstance(error, named)), (500, "api_error"))
    return JSONResponse(body(kind, redact(str(error))), status, {"Retry-After": "1"} if status == 503 else None)


async def invalid_request(request: Request, error: Exception) -> JSONResponse:
    """A query or path that does not fit its types."""
    assert isinstance(error, RequestValidationError)
    found = [f"{'.'.join(str(part) for part in one['loc'][1:]) or 'body'}: {one['msg']}" for one in error.errors()]
    return error_response(request.scope, 400, "invalid_request_error", "; ".join(found))


async def http_error(request: Request, error: Exception) -> JSONResponse:
    """A route or method that is not there."""
    assert isinstance(error, HTTPException)
    text = f"{request.method} {request.url.path}: {error.detail}"
    return error_response(request.scope, error.status_code, "invalid_request_error", text, dict(error.headers or {}))


async def unexpected_error(request: Request, error: Exception) -> JSONResponse:
    """Anything that nobody raised on purpose: the client learns that it failed, the server's log has the rest."""
    return error_response(request.scope, 500, "api_error", f"the gateway failed ({type(error).__name__}); its log has the details")
