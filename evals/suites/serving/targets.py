"""The servers that are compared, each a process of its own: `Server`, `started`."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ....core import EngineUnreachable
from .load import KEY
from .stub import MODEL

START_SECONDS = 120.0
"""Most seconds until a server must have answered."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server."""

    name: str
    """The method of its rows."""
    port: int
    """Where it listens on 127.0.0.1."""
    model: str
    """Model to ask it for."""
    process: subprocess.Popen[bytes] = field(repr=False)
    """Its process."""
    first_answer: float
    """Seconds from its start to its first answer."""

    @property
    def processor_seconds(self) -> float:
        """Of the processor that it has used; NaN where the system does not say."""
        try:
            words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return float("nan")
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def resident_mb(self) -> float:
        """Memory that it holds; NaN where the system does not say."""
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except OSError:
            return float("nan")
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def counters(self) -> dict[str, float]:
        """What the gateway counts, by name; its `/metrics`."""
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = [line.split() for line in answer.read().decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}


def stub_command(port: int) -> list[str]:
    """The scripted upstream."""
    return [sys.executable, "-m", f"{__package__}.stub", str(port)]


def proxy_command(port: int, upstream: int) -> list[str]:
    """The plain proxy before it."""
    return [sys.executable, "-m", f"{__package__}.plain_proxy", str(port), f"http://127.0.0.1:{upstream}"]


def gateway_settings(upstream: int, encoder: str, *, control: bool) -> Mapping[str, str]:
    """The gateway in the control arm, or with recall, and without a placebo in either."""
    url = f"http://127.0.0.1:{upstream}/v1"
    arms = {"wake.control_share": str(int(control)), "wake.placebo_share": "0"}
    return {"model.engine": "openai", "model.name": MODEL, "model.url": url, "memory.encoder": encoder, **arms}


def gateway_command(port: int, home: Path, settings: Mapping[str, str]) -> list[str]:
    """`lifelong serve` before it."""
    flags = [flag for name, value in settings.items() for flag in ("--set", f"{name}={value}")]
    return [sys.executable, "-m", "lifelong", "serve", "--port", str(port), "--home", str(home), *flags]


def litellm_command(port: int, upstream: int, folder: Path) -> list[str] | None:
    """LiteLLM's proxy before it; None where `litellm` is not among the commands."""
    command = shutil.which("litellm")
    if command is None:
        return None
    parameters = {"model": f"openai/{MODEL}", "api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "stub"}
    config = folder / "litellm.yaml"
    # JSON is YAML.
    models = [{"model_name": MODEL, "litellm_params": parameters}]
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": KEY}}), encoding="utf-8")
    return [command, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]


@contextmanager
def started(name: str, command: Sequence[str], port: int, model: str = MODEL) -> Iterator[Server]:
    """A server that has answered once, ended afterwards. Raises `EngineUnreachable` where it does not answer."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers(port, model):
            if process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                raise EngineUnreachable(f"{name} gave no answer; run its command by hand to see why: {' '.join(command)}")
            time.sleep(0.02)
        yield Server(name=name, port=port, model=model, process=process, first_answer=time.perf_counter() - began)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(port: int, model: str) -> bool:
    """Whether a chat is answered."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "first"}]}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    try:
        with urlopen(Request(f"http://127.0.0.1:{port}/v1/chat/completions", body, headers), timeout=START_SECONDS) as answer:
            return bool(answer.status == 200)
    except HTTPError:
        return False
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port
