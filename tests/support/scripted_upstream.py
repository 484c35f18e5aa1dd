"""A server of chat completions whose answers are a function of the request, and a gateway in front of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from running_gateway import RunningGateway

from lifelong.core.settings import GatewaySettings
from lifelong.serving import OpenAIEngine

MODEL = "some-model"
PATIENT = GatewaySettings(deadline_ms=5000, record_seconds=20)
"""Of a gateway on a machine under load."""

Script = Callable[[str, dict[str, Any]], Any]
"""From path and body to a text, a JSON object (sent as it is), a list of raw pieces (a stream), or (status, headers, bytes)."""


class ScriptedUpstream:
    """Answers as scripted; `seen` holds (path, headers, raw body) of every request."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.pause = 0.0
        self.delay = 0.0
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.cancelled = 0
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                self.send(200, {}, json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}).encode())

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                upstream.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, raw))
                time.sleep(upstream.delay)
                answer = upstream.script(self.path, json.loads(raw))
                if isinstance(answer, tuple):
                    self.send(*answer)
                elif isinstance(answer, list):
                    self.stream(answer)
                else:
                    self.send(200, {}, json.dumps(answer if isinstance(answer, dict) else completion(answer)).encode())

            def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def stream(self, pieces: list[bytes]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                try:
                    for piece in pieces:
                        self.wfile.write(piece)
                        self.wfile.flush()
                        time.sleep(upstream.pause)
                except OSError:
                    upstream.cancelled += 1

        class Server(ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 256

            def handle_error(self, *_: object) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The decoded bodies of all requests."""
        return [json.loads(raw) for _, _, raw in self.seen]

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()


def completion(text: str | None, id: str = "chatcmpl-7", **message: Any) -> dict[str, Any]:
    """A whole chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
    return {
        "id": id,
        "object": "chat.completion",
        "model": MODEL,
        "choices": [choice],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }


def chunk(delta: dict[str, Any], finish_reason: str | None = None, id: str = "chatcmpl-8") -> bytes:
    """One event of a streamed chat completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"id": id, "object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"


def pieces(*words: str) -> list[bytes]:
    """A streamed chat completion of these words."""
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": word}) for word in words),
        chunk({}, "stop"),
        b"data: [DONE]\n\n",
    ]


def passing_gateway(
    home: Path, upstream: ScriptedUpstream, limits: GatewaySettings | None = None, *, key: str = "", **settings: object
) -> RunningGateway:
    """A running gateway that passes requests on."""
    return RunningGateway(home, OpenAIEngine(MODEL, url=upstream.url, api_key=key), limits, **settings)
