"""Supervision of the server process, tried on small real processes in vLLM's place."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lifelong.core import EngineUnreachable, SettingsError
from lifelong.serving import VLLMServer
from lifelong.serving.vllm_server import vllm_python

# Stands where vLLM's python would: it is called with vLLM's command line, listens on --port and has a child, as vLLM has.
# The two first lines are a shell script to the shell and a string to Python, since a shebang cannot hold a path with spaces.
FAKE = """#!/bin/sh
'''exec' '{python}' "$0" "$@" # '''
import http.server, os, subprocess, sys
here = os.path.dirname(os.path.abspath(__file__))
open(os.path.join(here, "arguments"), "w").write("\\n".join(sys.argv[1:]))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(os.path.join(here, "pids"), "w").write(f"{{os.getpid()}} {{child.pid}}")
{body}
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Healthy).serve_forever()
"""


@pytest.fixture
def fake_vllm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Write a fake interpreter with `body` run at its start, and point the environment variable at it."""
    script = tmp_path / "python-with-vllm"

    def make(body: str = "") -> Path:
        script.write_text(FAKE.format(python=sys.executable, body=textwrap.dedent(body)))
        script.chmod(0o755)
        monkeypatch.setenv("LIFELONG_VLLM_PYTHON", str(script))
        return tmp_path

    yield make
    if (tmp_path / "pids").exists():
        for pid in pids(tmp_path):
            if alive(pid):
                os.kill(pid, signal.SIGKILL)


def pids(directory: Path) -> list[int]:
    return [int(word) for word in (directory / "pids").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(directory: Path, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in pids(directory)):
            return True
        time.sleep(0.02)
    return False


def test_starts_answers_and_stops_with_everything_it_started(fake_vllm, tmp_path):
    fake_vllm()
    with VLLMServer("some/model", directory=tmp_path / "log") as server:
        assert server.diagnose() == ""
        assert all(alive(pid) for pid in pids(tmp_path))
    assert gone(tmp_path), "the server or its child outlived stop()"
    assert "stopped" in server.diagnose()
    server.stop()


def test_the_command_line_binds_to_loopback_and_names_the_server_module(fake_vllm, tmp_path):
    fake_vllm()
    with VLLMServer("some/model", directory=tmp_path / "log", max_lora_rank=20):
        words = (tmp_path / "arguments").read_text().splitlines()
    assert words[:2] == ["-m", "vllm.entrypoints.openai.api_server"], "`vllm serve` of the CPU wheel dies on its own package name"
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert words[words.index("--max-lora-rank") + 1] == "32", "vLLM takes only certain ranks"
    assert words[words.index("--served-model-name") + 1] == "model"
    assert "--enable-lora" in words
    assert "--enable-auto-tool-choice" in words
    assert "--lora-modules" not in words, "the layers of a hub id are not known here"


def test_a_server_that_dies_shows_its_last_words(fake_vllm, tmp_path):
    fake_vllm("print('loading'); print('out of memory, alas', file=sys.stderr); child.kill(); sys.exit(7)")
    started = time.monotonic()
    with pytest.raises(EngineUnreachable, match=r"status 7(.|\n)*out of memory, alas"):
        VLLMServer("some/model", directory=tmp_path / "log").start()
    assert time.monotonic() - started < 10


def test_a_server_that_dies_leaves_no_child_behind(fake_vllm, tmp_path):
    fake_vllm("sys.exit(3)")
    with pytest.raises(EngineUnreachable, match="status 3"):
        VLLMServer("some/model", directory=tmp_path / "log").start()
    assert gone(tmp_path)


def test_a_other_torchvision_is_recognised_and_the_remedy_named(fake_vllm, tmp_path):
    fake_vllm("sys.exit('RuntimeError: operator torchvision::nms does not exist')")
    with pytest.raises(EngineUnreachable, match=r"setup-vllm` again"):
        VLLMServer("some/model", directory=tmp_path / "log").start()


def test_a_server_that_never_answers_is_given_up_and_ended(fake_vllm, tmp_path):
    fake_vllm("import time; print('thinking', flush=True); time.sleep(600)")
    with pytest.raises(EngineUnreachable, match=r"within 1 s(.|\n)*thinking"):
        VLLMServer("some/model", directory=tmp_path / "log", start_seconds=1).start()
    assert gone(tmp_path)


def test_a_server_deaf_to_sigterm_is_killed(fake_vllm, tmp_path):
    fake_vllm("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    server = VLLMServer("some/model", directory=tmp_path / "log").start()
    server.stop(grace=0.5)
    assert gone(tmp_path)


def test_a_server_killed_from_outside_is_noticed(fake_vllm, tmp_path):
    fake_vllm()
    with VLLMServer("some/model", directory=tmp_path / "log") as server:
        os.kill(pids(tmp_path)[0], signal.SIGKILL)
        deadline = time.monotonic() + 5
        while not server.diagnose() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert "ended with status 137" in server.diagnose()
    assert gone(tmp_path)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, None])
def test_a_parent_that_ends_leaves_no_orphan(fake_vllm, tmp_path, how):
    fake_vllm()
    code = f"""
        import sys, threading
        from pathlib import Path
        from lifelong.serving import VLLMServer
        server = VLLMServer("some/model", directory=Path({str(tmp_path / "log")!r}))
        # Started from a thread that ends: the server must live on with the process.
        starter = threading.Thread(target=server.start); starter.start(); starter.join()
        print("up", flush=True)
        sys.stdin.read()
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdin is not None
    assert parent.stdout is not None
    with parent.stdout, parent.stdin:
        assert parent.stdout.readline() == b"up\n"
        time.sleep(0.2)
        assert all(alive(pid) for pid in pids(tmp_path))
        if how is None:
            parent.stdin.close()  # an ordinary exit
        else:
            parent.send_signal(how)
        parent.wait(timeout=30)
    assert gone(tmp_path), "the server or its child outlived the parent"


def test_a_missing_environment_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setenv("LIFELONG_VLLM_PYTHON", str(tmp_path / "nowhere"))
    with pytest.raises(EngineUnreachable, match=r"\./lifelong\.sh setup-vllm"):
        VLLMServer("some/model", directory=tmp_path / "log").start()
    if not (Path(__file__).parents[2] / ".venv-vllm").exists():
        with pytest.raises(EngineUnreachable, match=r"\.venv-vllm.*setup-vllm"):
            vllm_python({})


def test_a_rank_that_vllm_cannot_serve_is_refused():
    with pytest.raises(SettingsError, match="at most 512"):
        VLLMServer("some/model", max_lora_rank=513)


def test_the_childs_environment_holds_only_what_it_needs(monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "VLLM_API_KEY", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "DATABASE_URL"):
        monkeypatch.setenv(name, "ours")
    monkeypatch.setenv("HF_TOKEN", "for the hub")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    environment = VLLMServer("some/model", threads=3).environment()
    assert "ours" not in environment.values()
    assert environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "1"
    assert environment["OMP_NUM_THREADS"] == "3"
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert environment["HF_TOKEN"] == "for the hub", "a model that comes from the hub may need it"


def test_a_local_model_gets_no_token_of_the_hub(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "for the hub")
    save_file({"model.layers.0.self_attn.q_proj.weight": np.ones((4, 4), "f4")}, tmp_path / "model.safetensors")
    assert "HF_TOKEN" not in VLLMServer(tmp_path).environment()


def test_the_last_words_of_a_server_hold_no_credential(fake_vllm, tmp_path):
    fake_vllm("print('cannot reach https://admin:S3CRETPW@hub.example/x with HF_TOKEN=hf_abcdefghijklmnopqrst'); sys.exit(7)")
    with pytest.raises(EngineUnreachable, match="cannot reach") as caught:
        VLLMServer("some/model", directory=tmp_path / "log").start()
    assert "S3CRETPW" not in str(caught.value)
    assert "hf_abc" not in str(caught.value)


def test_a_local_model_gets_a_zero_adapter_and_keeps_its_head_closed(fake_vllm, tmp_path):
    fake_vllm()
    model = tmp_path / "tiny"
    model.mkdir()
    save_file(
        {
            "model.embed_tokens.weight": np.ones((11, 6), "f4"),
            "lm_head.weight": np.ones((11, 6), "f4"),
            "model.layers.0.self_attn.q_proj.weight": np.ones((8, 6), "f4"),
            "model.layers.0.mlp.down_proj.weight": np.ones((6, 12), "f4"),
            "model.layers.0.input_layernorm.weight": np.ones(6, "f4"),
        },
        model / "model.safetensors",
    )
    with VLLMServer(model, directory=tmp_path / "log"):
        words = (tmp_path / "arguments").read_text().splitlines()
    at = words.index("--lora-target-modules")
    assert words[at + 1 : at + 3] == ["down_proj", "q_proj"], "an open output head lets prompt log-probabilities end the CPU engine"
    name, _, directory = words[words.index("--lora-modules") + 1].partition("=")
    assert name == "base-null"
    weights = load_file(Path(directory) / "adapter_model.safetensors")
    prefix = "base_model.model.model.layers.0.self_attn.q_proj"
    assert weights[f"{prefix}.lora_A.weight"].shape == (1, 6)
    assert weights[f"{prefix}.lora_B.weight"].shape == (8, 1)
    assert not any(value.any() for value in weights.values())
    config = json.loads((Path(directory) / "adapter_config.json").read_text())
    assert (config["r"], config["target_modules"]) == (1, ["q_proj"])
