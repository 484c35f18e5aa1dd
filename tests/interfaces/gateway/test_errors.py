"""Errors as clients see them."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from lifelong.core import AdapterRejected, EngineUnreachable, LifelongError, MalformedTask, NothingFound, StoreError
from lifelong.interfaces.gateway.errors import SHAPE, error_body, http_error, named_error, unexpected_error

REQUEST = Request({"type": "http", "method": "GET", "path": "/v1/nothing", "headers": [], "query_string": b"", "server": ("h", 1)})


@pytest.mark.parametrize(
    ("error", "status", "kind", "again"),
    [
        (MalformedTask("no user turn"), 400, "invalid_request_error", None),
        (NothingFound("no such run"), 404, "invalid_request_error", None),
        (EngineUnreachable("start it"), 503, "service_unavailable", "1"),
        (StoreError("the disk is full"), 503, "service_unavailable", "1"),
        (AdapterRejected("another base"), 500, "api_error", None),
        (LifelongError("of another kind"), 500, "api_error", None),
    ],
)
def test_a_named_error_has_its_status_its_words_and_when_to_come_back(error: Exception, status: int, kind: str, again: str | None) -> None:
    response = asyncio.run(named_error(REQUEST, error))
    assert (response.status_code, response.headers.get("retry-after")) == (status, again)
    assert json.loads(bytes(response.body)) == {"error": {"message": str(error), "type": kind, "param": None, "code": None}}


def test_no_error_says_a_password() -> None:
    words = "http://ann:plum@example.org does not answer"
    assert "plum" not in str(error_body("api_error", words))
    assert b"plum" not in bytes(asyncio.run(named_error(REQUEST, EngineUnreachable(words))).body)


def test_what_nobody_expected_says_its_kind_and_none_of_its_words() -> None:
    response = asyncio.run(unexpected_error(REQUEST, ValueError("/secret/place")))
    assert response.status_code == 500
    assert b"ValueError" in bytes(response.body)
    assert b"secret" not in bytes(response.body)


def test_a_missing_route_is_named_with_its_method() -> None:
    response = asyncio.run(http_error(REQUEST, HTTPException(405, "Method Not Allowed", {"allow": "POST"})))
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert b"GET /v1/nothing: Method Not Allowed" in bytes(response.body)


def test_an_error_has_the_shape_of_the_requests_protocol() -> None:
    request = Request({**REQUEST.scope, SHAPE: lambda kind, message: {"mine": [kind, message]}})
    for answer in (
        http_error(request, HTTPException(405, "no")),
        unexpected_error(request, ValueError("x")),
        named_error(request, MalformedTask("x")),
    ):
        assert list(json.loads(bytes(asyncio.run(answer).body))) == ["mine"]
