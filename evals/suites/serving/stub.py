"""A scripted upstream that answers by the clock: `python -m lifelong.evals.suites.serving.stub PORT`."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

MODEL = "stub"
FIRST_WORD_SECONDS = 0.02
"""Until the first word; all the others follow at once."""
WORDS = ("w0", "w1", "w2", "w3", "w4")
FRAME = {"id": "chatcmpl-stub", "created": 1, "model": MODEL}


def event(delta: dict[str, Any], end: str | None = None) -> bytes:
    """One event of a stream, as a chunk of HTTP/1.1."""
    choice = {"index": 0, "delta": delta, "finish_reason": end}
    return chunk(b"data: " + json.dumps({**FRAME, "object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n")


def chunk(data: bytes) -> bytes:
    """The bytes framed as a chunk of HTTP/1.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def whole(document: dict[str, Any]) -> bytes:
    """An answer in one piece."""
    body = json.dumps(document).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


MODELS = whole({"object": "list", "data": [{"id": MODEL, "object": "model", "created": 1, "owned_by": "stub"}]})
ANSWER = whole(
    {
        **FRAME,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": " ".join(WORDS)}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }
)
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
STREAM = b"".join(event({"content": word + " "}) for word in WORDS) + event({}, "stop") + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection until it ends."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            size = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
            body = await reader.readexactly(size)
            if head.startswith(b"GET"):
                writer.write(MODELS)
            elif b"chat/completions" not in lines[0]:
                writer.write(NOT_FOUND)
            elif json.loads(body).get("stream"):
                writer.write(STREAM_HEAD)
                await asyncio.sleep(FIRST_WORD_SECONDS)
                writer.write(STREAM)
            else:
                await asyncio.sleep(FIRST_WORD_SECONDS)
                writer.write(ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        pass  # the client has left
    finally:
        writer.close()


async def main(port: int) -> None:
    """Serve until the process is ended."""
    async with await asyncio.start_server(serve, "127.0.0.1", port, backlog=512) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
