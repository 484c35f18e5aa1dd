"""`kill -9` of a gateway under many clients: whatever a client saw the end of is in the record."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from scripted_upstream import MODEL, ScriptedUpstream, pieces

from lifelong.memory import Record

CLIENTS = 12
KILLS = 2


def start(home: Path, port: int, upstream: ScriptedUpstream) -> subprocess.Popen[bytes]:
    values = {"model.engine": "openai", "model.url": upstream.url, "model.name": MODEL, "memory.encoder": "hashed"}
    flags = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "lifelong", "serve", "--port", str(port), "--home", str(home), *flags]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{port}/health")
            return process
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the gateway did not come up")


@pytest.mark.slow
def test_no_answer_that_a_client_saw_the_end_of_is_lost(tmp_path: Path) -> None:
    upstream = ScriptedUpstream(lambda path, body: pieces("one ", "two") if body["stream"] else "fine")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    seen: list[str] = []
    done = threading.Event()

    def talk(number: int) -> None:
        turn = 0
        while not done.is_set():
            turn += 1
            body = {"stream": turn % 2 == 0, "messages": [{"role": "user", "content": f"client {number} turn {turn} {random.random()}"}]}
            try:
                response = httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body, timeout=20)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            ended = response.status_code == 200 and (not body["stream"] or response.text.endswith("[DONE]\n\n"))
            late = "x-lifelong-recorded" in response.headers or "not recorded" in response.text
            if ended and not late:
                seen.append(response.headers["x-lifelong-episode"])

    process = start(tmp_path, port, upstream)
    clients = [threading.Thread(target=talk, args=(number,)) for number in range(CLIENTS)]
    try:
        for client in clients:
            client.start()
        for _ in range(KILLS):
            time.sleep(1 + random.random())
            process.kill()
            process.wait()
            process = start(tmp_path, port, upstream)
    finally:
        done.set()
        for client in clients:
            client.join()
        process.terminate()
        process.wait(30)
        upstream.close()
    assert len(seen) > KILLS
    with Record(tmp_path / "record.sqlite3") as record:
        assert len(record.episodes.get_many(seen, tenant="default")) == len(seen)
