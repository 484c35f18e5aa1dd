"""`lifelong serve` as a user starts it: a real process, a real port, a real (tiny) model."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.slow
def test_serve_answers_records_and_stops_on_interrupt(tiny_model: Path, tmp_path: Path) -> None:
    port = free_port()
    settings = f'home = "{tmp_path / "home"}"\n[model]\nname = "{tiny_model}"\nmax_tokens = 4\n[memory]\nencoder = "hashed"\n'
    (tmp_path / "lifelong.toml").write_text(settings)
    command = [sys.executable, "-c", "from lifelong.interfaces.cli import main; main()"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LIFELONG_")}
    process = subprocess.Popen([*command, "serve", "--port", str(port)], cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            wait_until_up(client, process)
            model = client.get("/v1/models").json()["data"][0]["id"]
            asked = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
            answer = client.post("/v1/chat/completions", json=asked)
            assert answer.status_code == 200, answer.text
            assert len(answer.json()["choices"]) == 1
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, errors  # being stopped is how a server ends
    assert "Traceback" not in errors
    shown = subprocess.run([*command, "status"], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert "episodes    1," in shown.stdout, shown.stderr


def wait_until_up(client: httpx.Client, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.get("/health")
            return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"the server did not come up: {process.communicate()[1] if process.poll() is not None else 'no answer'}")
