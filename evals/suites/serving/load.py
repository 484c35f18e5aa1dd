"""Requests over kept connections, at a rate or as fast as they are answered: `at_rate`, `flat_out`."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

WORDS = ("order", "invoice", "parcel", "city", "river", "metal", "doctor", "engine", "garden", "window", "ticket", "budget")
KEY = f"sk-{secrets.token_hex(32)}"
"""Sent with every request. LiteLLM's proxy starts with a strong key only; the others do not read it."""
TENANT = "tenant-0"
"""Whose episodes the record of `lifelong bench scale` holds, where there is one tenant."""
HEADERS = f"Authorization: Bearer {KEY}\r\nX-Lifelong-Tenant: {TENANT}\r\n"
CLIENTS = 32
"""Clients that ask at once when as much is asked as is answered."""
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NotAnswered(Exception):
    """An answer that was not 200."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long one request took."""

    seconds: float
    """From sending it to the end of its answer."""
    first: float | None = None
    """To the first word of a streamed answer; None where it was not streamed."""


@dataclass(frozen=True, kw_only=True)
class Burst:
    """What came of many requests."""

    timings: tuple[Timing, ...]
    """Of the requests that were answered."""
    failed: int
    """Requests that were not."""
    seconds: float
    """From the first request to the last answer."""


def question(number: int) -> str:
    """A made request, always the same one for a number."""
    draw = random.Random(number)
    return f"case {number}: " + " ".join(draw.choices(WORDS, k=draw.randrange(6, 40)))


class Client:
    """Asks one server, over connections that are kept."""

    def __init__(self, port: int, model: str, draw: random.Random) -> None:
        self._port, self._model, self._draw = port, model, draw
        self._kept: list[Connection] = []

    async def ask(self, *, streamed: bool = False) -> Timing:
        """One request of a new text. Raises `NotAnswered`, `OSError`, `asyncio.IncompleteReadError`."""
        asked = question(self._draw.randrange(10**9))
        messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": asked}]
        body = json.dumps({"model": self._model, "stream": streamed, "messages": messages}).encode()
        began = time.perf_counter()
        reader, writer = self._kept.pop() if self._kept else await asyncio.open_connection("127.0.0.1", self._port)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\n{HEADERS}\r\n".encode() + body)
        try:
            first = await _read_answer(reader)
        except BaseException:
            writer.close()
            raise
        self._kept.append((reader, writer))
        return Timing(seconds=time.perf_counter() - began, first=first - began if first and streamed else None)

    def close(self) -> None:
        """Close the connections."""
        for _, writer in self._kept:
            writer.close()


async def _read_answer(reader: asyncio.StreamReader) -> float | None:
    """Read an answer to its end; when its first word came, where it came in chunks."""
    lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    if b" 200 " not in lines[0]:
        raise NotAnswered(lines[0].decode(errors="replace"))
    size = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), None)
    if size is not None:
        await reader.readexactly(size)
        return None
    first = None
    while length := int(await reader.readline(), 16):
        piece = await reader.readexactly(length + 2)
        if first is None and b'"w0' in piece:
            first = time.perf_counter()
    await reader.readline()
    return first


async def at_rate(client: Client, rate: float, seconds: float) -> Burst:
    """Requests at a fixed rate, whether or not earlier ones are answered; every second one is streamed. At least two."""
    began = time.perf_counter()

    async def one(number: int) -> Timing:
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        return await client.ask(streamed=number % 2 == 1)

    return await _gathered([one(number) for number in range(max(2, round(rate * seconds)))])


async def flat_out(client: Client, seconds: float) -> Burst:
    """As many requests as are answered, by `CLIENTS` that each wait for their answer."""
    end = time.perf_counter() + seconds
    done: list[Timing] = []

    async def one() -> int:
        failed = 0
        while time.perf_counter() < end:
            try:
                done.append(await client.ask())
            except (OSError, NotAnswered, asyncio.IncompleteReadError):
                failed += 1
        return failed

    began = time.perf_counter()
    failed = sum(await asyncio.gather(*(one() for _ in range(CLIENTS))))
    return Burst(timings=tuple(done), failed=failed, seconds=time.perf_counter() - began)


async def _gathered(jobs: list[Awaitable[Timing]]) -> Burst:
    began = time.perf_counter()
    ended = await asyncio.gather(*jobs, return_exceptions=True)
    good = tuple(one for one in ended if isinstance(one, Timing))
    return Burst(timings=good, failed=len(ended) - len(good), seconds=time.perf_counter() - began)


def asked(port: int, model: str, load: Callable[[Client], Awaitable[Burst]], seed: int = 0) -> Burst:
    """Ask a server in an event loop of its own; the same seed asks the same questions."""

    async def run() -> Burst:
        client = Client(port, model, random.Random(seed))
        try:
            return await load(client)
        finally:
            client.close()

    return asyncio.run(run())
