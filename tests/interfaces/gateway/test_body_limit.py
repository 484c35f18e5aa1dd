"""Bodies are bounded while they arrive, and handed on whole."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest
import zstandard

from lifelong.interfaces.gateway.body_limit import BodyLimit


def sent(
    chunks: list[bytes], most: int = 10, *, leaves: bool = False, kind: str = "http", encoding: str = ""
) -> tuple[list[dict[str, Any]], list[bytes], int]:
    """What is answered, the bodies that the application was given, and how many messages were read."""
    answers: list[dict[str, Any]] = []
    given: list[bytes] = []
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        if leaves and read == len(chunks):
            return {"type": "http.disconnect"}
        if read > len(chunks):
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunks[read - 1], "more_body": read < len(chunks)}

    async def send(message: Any) -> None:
        answers.append(message)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if kind != "http":
            given.append(b"passed through")
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        given.append(body)
        assert encoding == "" or dict(scope["headers"]) == {b"content-length": str(len(body)).encode(), b"x": b"y"}
        assert scope["lifelong.body_bytes"] == len(body)
        assert (await receive())["type"] == "http.disconnect"

    headers = [(b"content-encoding", encoding.encode()), (b"content-length", b"7"), (b"x", b"y")] if encoding else []
    scope = {"type": kind, "method": "POST", "path": "/", "headers": headers}
    asyncio.run(BodyLimit(application, most)(scope, receive, send))  # type: ignore[arg-type]
    return answers, given, read


@pytest.mark.parametrize("chunks", [[b""], [b"0123456789"], [b"01", b"", b"234", b"56789"]])
def test_a_body_within_the_limit_comes_whole(chunks: list[bytes]) -> None:
    answers, given, _ = sent(chunks)
    assert given == [b"".join(chunks)]
    assert answers == []


@pytest.mark.parametrize("chunks", [[b"01234567890"], [b"0123456789", b"0"], [b"x" * 6] * 1000])
def test_one_byte_more_is_refused_without_reading_the_rest(chunks: list[bytes]) -> None:
    answers, given, read = sent(chunks)
    assert given == []
    assert read <= 2
    assert answers[0]["status"] == 413
    assert (b"connection", b"close") in [(name.lower(), value.lower()) for name, value in answers[0]["headers"]]
    assert b"larger than 10 bytes" in answers[1]["body"]


def test_who_leaves_before_the_end_is_not_answered() -> None:
    assert sent([b"01", b"23"], leaves=True)[:2] == ([], [])


def test_what_is_no_http_passes_through() -> None:
    assert sent([], kind="lifespan")[1] == [b"passed through"]


def test_a_compressed_body_comes_as_if_it_had_not_been() -> None:
    for encoding, body in (("gzip", gzip.compress(b"01234")), ("zstd", zstandard.compress(b"01234"))):
        assert sent([body[:3], body[3:]], most=100, encoding=encoding)[:2] == ([], [b"01234"])


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [("gzip", gzip.compress(bytes(10_000)), 413), ("br", b"01", 415), ("gzip", b"01", 400), ("zstd", b"01", 400)],
)
def test_a_compressed_body_that_is_too_large_or_cannot_be_read_is_refused(encoding: str, body: bytes, status: int) -> None:
    answers, given, _ = sent([body], most=100, encoding=encoding)
    assert given == []
    assert answers[0]["status"] == status
    assert (b"accept-encoding" in dict(answers[0]["headers"])) == (status == 415)
