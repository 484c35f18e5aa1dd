"""Start, watch and stop a vLLM server in an environment of its own; lifelong talks to it only over loopback HTTP."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from ..core import EngineUnreachable, SettingsError, redact
from ..core.paths import AnyPath
from .adapter_files import read_base, zero_adapter
from .models import cache_directory

BASE_NULL = "base-null"
"""The zero adapter's served name: on CPU, vLLM answers base requests wrongly when LoRA requests share their batch."""

SETUP = "run `./lifelong.sh setup-vllm`"
RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""Values that vLLM accepts as `--max-lora-rank`."""

PASSED_ON = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "TEMP",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "HF_HOME",
        "HF_HUB_CACHE",
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
    }
)
"""Environment variables of ours that the server gets."""
PASSED_ON_PREFIXES = (
    "LC_",
    "VLLM_",
    "CUDA_",
    "NVIDIA_",
    "ROCR_",
    "HIP_",
    "NCCL_",
    "TORCH_",
    "TORCHINDUCTOR_",
    "TRITON_",
    "KMP_",
    "OMP_",
    "MKL_",
)
"""Beginnings of further names that it gets."""
HUB_VARIABLES = frozenset(
    {
        "HF_TOKEN",
        "HF_TOKEN_PATH",
        "HF_ENDPOINT",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    }
)
"""What a download from the hub needs besides."""
TAIL_BYTES = 4_000
"""Most bytes of the end of the log that an error shows."""

# Standard input is a pipe that nobody writes to; it ends when the parent dies, however that happens, and then the whole
# group is killed. PR_SET_PDEATHSIG would not do: it fires when the *thread* that started the child ends, is Linux only,
# and does not reach the engine processes that vLLM itself starts. The shell stays to pass on the exit status.
WATCHED = """
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -KILL 0; } &
watcher=$!
trap 'kill -TERM "$server" 2>/dev/null' TERM INT
wait "$server"; status=$?
while kill -0 "$server" 2>/dev/null; do wait "$server"; status=$?; done
kill "$watcher" 2>/dev/null
exit "$status"
"""


def vllm_python(environ: Mapping[str, str] = os.environ) -> Path:
    """The interpreter that has vLLM: `LIFELONG_VLLM_PYTHON`, else `.venv-vllm` in the repository.

    Raises `EngineUnreachable` when there is none.
    """
    named = environ.get("LIFELONG_VLLM_PYTHON", "")
    python = Path(named) if named else Path(__file__).resolve().parent.parent / ".venv-vllm" / "bin" / "python"
    if not os.access(python, os.X_OK):
        what = f"LIFELONG_VLLM_PYTHON names {python}, which" if named else f"{python}"
        raise EngineUnreachable(f"{what} is not there; vLLM lives in an environment of its own: {SETUP}")
    return python


class VLLMServer:
    """A vLLM server of our own, with adapters that come and go at run time.

    It listens on 127.0.0.1 only: with run-time LoRA on, vLLM lets anyone who reaches it load adapters without a key.
    Where the model is a local directory the zero adapter `base-null` is loaded from the start.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        name: str = "",
        directory: AnyPath | None = None,
        max_lora_rank: int = 16,
        max_length: int = 2048,
        dtype: str = "auto",
        threads: int = 0,
        start_seconds: float = 600,
    ) -> None:
        """`model` is a directory or a hub id, `name` what it is served as (its last part unless given).

        `directory` keeps the log and the zero adapter (in the cache unless given); `max_length` is in tokens, prompt and
        reply together; `threads` 0 means all cores but one, which vLLM's scheduler keeps busy; `start_seconds` is how long
        it may take to answer. Nothing runs before `start`.
        """
        directory = None if directory is None else Path(directory)
        if max_lora_rank > RANKS[-1]:
            raise SettingsError(f"LoRA rank {max_lora_rank} cannot be served; vLLM takes at most {RANKS[-1]}")
        local = Path(model).is_dir()
        self.model = str(Path(model).resolve()) if local else str(model)
        self.name = name or self.model.rstrip("/").rpartition("/")[2]
        self.max_lora_rank = next(rank for rank in RANKS if rank >= max_lora_rank)
        self.layers = read_base(Path(model)) if local else None
        self._directory = directory or cache_directory().parent / "vllm"
        self.log = self._directory / "vllm.log"
        self._max_length = max_length
        self._dtype = dtype
        self._threads = threads or max(1, (os.cpu_count() or 1) - 1)
        self._start_seconds = start_seconds
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers, such as `http://127.0.0.1:43210`."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """Process group of the server, 0 when it does not run."""
        return self._process.pid if self._process else 0

    def start(self) -> Self:
        """Start and wait until it answers. Raises `EngineUnreachable` with the log's last lines when it does not come up."""
        python = vllm_python()
        self._directory.mkdir(parents=True, exist_ok=True)
        self._port = _free_port()
        self.log = self._directory / f"vllm-{self._port}.log"
        self.log.touch(mode=0o600)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", WATCHED, "vllm", str(python), *self.arguments()],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                start_new_session=True,
            )
        atexit.register(self.stop)
        try:
            self._wait_for_health()
        except BaseException:
            self.stop()
            raise
        return self

    def diagnose(self) -> str:
        """Empty while the server runs; else how it ended, with the log's last lines and what to do."""
        if self._process is None:
            return "the server was not started or has been stopped; start it"
        if (code := self._process.poll()) is None:
            return ""
        return f"the vLLM server ended with status {code}{self._hint()}; the last lines of {self.log}:\n{self._tail()}"

    def stop(self, grace: float = 20) -> None:
        """End the server and everything it started: SIGTERM, after `grace` seconds SIGKILL. May be called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        atexit.unregister(self.stop)
        process.terminate()
        try:
            process.wait(timeout=grace)
        except subprocess.TimeoutExpired:
            _kill_group(process.pid)
            process.wait()
        _kill_group(process.pid)
        if process.stdin:
            process.stdin.close()

    def arguments(self) -> list[str]:
        """What follows `python` on the command line."""
        # `vllm serve` of the CPU wheel fails on its own package name, so the server module is named directly.
        words = ["-m", "vllm.entrypoints.openai.api_server", "--model", self.model, "--served-model-name", self.name]
        words += ["--host", "127.0.0.1", "--port", str(self._port), "--uvicorn-log-level", "warning"]
        words += ["--dtype", self._dtype, "--max-model-len", str(self._max_length)]
        # Calls of tools in the text form of `core.messages`; the parser is made when a request has tools.
        words += ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]
        words += ["--enable-lora", "--max-loras", "4", "--max-cpu-loras", "8", "--max-lora-rank", str(self.max_lora_rank)]
        # A model's own sampling defaults (repetition penalty, top-p) would make greedy replies differ between engines.
        words += ["--override-generation-config", json.dumps({"repetition_penalty": 1.0, "top_p": 1.0, "top_k": 0})]
        if self.layers:
            # With the output head open to LoRA, a request for prompt log-probabilities ends the whole engine on CPU.
            words += ["--lora-target-modules", *self.layers.names]
            words += ["--lora-modules", f"{BASE_NULL}={zero_adapter(self._directory, self.layers.projection, self.model)}"]
        return words

    def environment(self) -> dict[str, str]:
        """The child's environment: what a Python program on an accelerator needs of ours and nothing else.

        An allow-list, since the parent's environment holds keys of other services. Only a model that comes from the hub gets the
        hub's token and the proxy settings.
        """
        names = PASSED_ON if self.layers else PASSED_ON | HUB_VARIABLES
        kept = {key: value for key, value in os.environ.items() if key in names or key.startswith(PASSED_ON_PREFIXES)}
        kept.pop("VLLM_API_KEY", None)  # it would ask us for a key
        return {
            **kept,
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
            "VLLM_CPU_KVCACHE_SPACE": "1",
            # On few cores, pinning would share ours with other pinned processes while the rest idle.
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "OMP_NUM_THREADS": str(self._threads),
            "VLLM_NO_USAGE_STATS": "1",
            **({"HF_HUB_OFFLINE": "1"} if self.layers else {}),
        }

    def _wait_for_health(self) -> None:
        deadline = time.monotonic() + self._start_seconds
        with httpx.Client(base_url=self.url, timeout=5, trust_env=False, verify=False) as http:
            while time.monotonic() < deadline:
                if why := self.diagnose():
                    raise EngineUnreachable(why)
                try:
                    if http.get("/health").is_success:
                        return
                except httpx.TransportError:
                    pass  # not listening yet
                time.sleep(0.1)
        raise EngineUnreachable(f"vLLM did not answer within {self._start_seconds:.0f} s; the last lines of {self.log}:\n{self._tail()}")

    def _tail(self, lines: int = 12) -> str:
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
            end = file.read().decode(errors="replace").splitlines()[-lines:]
        return redact("\n".join(end), limit=TAIL_BYTES)

    def _hint(self) -> str:
        text = self.log.read_text(errors="replace")
        if "torchvision::nms" in text or "No module named 'vllm" in text:
            return f" (its environment is damaged: {SETUP} again)"
        return ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError):  # nothing is left of it
        os.killpg(group, signal.SIGKILL)
