"""`lifelong serve` as a process of its own before a scripted model, and what it recorded."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from scripted_upstream import MODEL, ScriptedUpstream

from real_clients.scripted_model import ScriptedModel

START_SECONDS = 60


class Served:
    """A gateway on a home of its own; `model` holds what was asked of the model behind it."""

    def __init__(self, home: Path, **settings: object) -> None:
        self._seen: list[str] = []
        self.model = ScriptedModel()
        self.upstream = ScriptedUpstream(self.model)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        values = {"model.engine": "openai", "model.url": self.upstream.url, "model.name": MODEL, "memory.encoder": "hashed"}
        values |= {"gateway.deadline_ms": 5000, "gateway.record_seconds": 20, **settings}
        flags = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
        self._log = (home / "serve.log").open("wb")
        command = [sys.executable, "-m", "lifelong", "serve", "--port", str(port), "--home", str(home / "lifelong"), *flags]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)
        self._wait()

    def _wait(self) -> None:
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends and self._process.poll() is None:
            try:
                httpx.get(f"{self.url}/health")
                return
            except httpx.TransportError:
                time.sleep(0.1)
        self.close()
        raise RuntimeError(f"the gateway did not come up; see {self._log.name}")

    def get(self, path: str) -> Any:
        """The JSON at a path of the gateway."""
        return httpx.get(self.url + path, timeout=30).raise_for_status().json()

    def new_sessions(self) -> list[str]:
        """Ids of the sessions that have come since this was asked last."""
        found = [one["id"] for one in self.get("/v1/lifelong/sessions?limit=1000")["data"]]
        new = [one for one in found if one not in self._seen]
        self._seen += new
        return new

    def episodes(self, session: str) -> list[dict[str, Any]]:
        """The episodes of a session in their order."""
        found: list[dict[str, Any]] = self.get(f"/v1/lifelong/sessions/{session}")["episodes"]
        return found

    def close(self) -> None:
        """Stop both servers."""
        self._process.terminate()
        self._process.wait(30)
        self._log.close()
        self.upstream.close()


def call_ids(episodes: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """Ids of all tool calls and of all tool results that episodes hold, in their order."""
    steps = [step for one in episodes for step in one["steps"]]
    calls = [call["id"] for step in steps for call in step.get("tool_calls") or ()]
    return calls, [step["tool_call_id"] for step in steps if step["type"] == "tool_result"]
