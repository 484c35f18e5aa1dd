"""`lifelong.sh` in a folder of its own: what it says, what it hands over, and how fast a second start is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("cat", "cksum", "dirname", "sed", "tail", "rm", "ln", "chmod", "sh")


def start(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([folder / "lifelong.sh", *words], capture_output=True, text=True, env={**os.environ, **environ}, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder, with a space, a quote and a letter beyond ASCII in its name, that holds the script and what it reads."""
    folder = tmp_path / "Übung raum" / 'a "checkout" for $1'
    folder.mkdir(parents=True)
    for name in ("lifelong.sh", "pyproject.toml", "constraints.txt", "constraints-vllm.txt", "constraints-vllm-gpu.txt", "justfile"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder for PATH with the standard tools and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    return folder


def test_without_a_verb_it_explains_itself(checkout: Path) -> None:
    result = start(checkout)
    assert result.returncode == 0
    for verb in ("run", "test", "check", "audit", "setup", "setup-vllm"):
        assert f"./lifelong.sh {verb} " in result.stdout
    assert not (checkout / ".venv").exists()


def test_no_python_is_said_with_the_remedy(checkout: Path, tools: Path) -> None:
    result = start(checkout, "setup", PATH=str(tools), LIFELONG_PYTHON="")
    assert result.returncode == 1
    assert "Python 3.11 or newer" in result.stderr
    assert "LIFELONG_PYTHON=" in result.stderr


def test_an_old_python_counts_as_none(checkout: Path, tools: Path) -> None:
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    assert "Python 3.11 or newer" in start(checkout, "setup", PATH=str(tools), LIFELONG_PYTHON="").stderr


@pytest.mark.slow
def test_a_failing_pip_shows_its_words_and_leaves_no_stamp(checkout: Path) -> None:
    nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    result = start(checkout, "setup", LIFELONG_PYTHON=sys.executable, **nowhere)
    assert result.returncode == 1
    assert "pip failed" in result.stderr
    assert "ERROR: " in result.stderr
    assert not (checkout / ".venv" / "stamp").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("gpu", "name"), [(True, "constraints-vllm-gpu.txt"), (False, "constraints-vllm.txt")])
def test_the_model_server_is_installed_under_constraints_with_a_gpu_and_without(
    checkout: Path, tmp_path: Path, gpu: bool, name: str
) -> None:
    fakes = tmp_path / "fakes"
    fakes.mkdir()
    (fakes / "nvidia-smi").write_text(f"#!/bin/sh\nexit {int(not gpu)}\n")
    (fakes / "nvidia-smi").chmod(0o755)
    (checkout / name).write_text("this is ! no constraint\n")
    outside = {"LIFELONG_PYTHON": sys.executable, "PATH": f"{fakes}:{os.environ['PATH']}", "PIP_NO_INDEX": "1"}
    result = start(checkout, "setup-vllm", **outside)
    assert result.returncode == 1
    assert name in result.stderr, "pip read it"


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-vllm.txt", "constraints-vllm-gpu.txt"])
def test_constraints_pin_every_package_exactly(name: str) -> None:
    pins = [line.partition(";")[0].strip() for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
    assert len(pins) > 100
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[\w.!+-]+", pin) for pin in pins)


def test_a_second_start_hands_over_at_once_with_every_word_whole(checkout: Path) -> None:
    binaries = checkout / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    for name in ("lifelong", "just"):
        (binaries / name).write_text(f'#!/bin/sh\nprintf "[%s]" {name} "$@"\nexit 7\n')
        (binaries / name).chmod(0o755)
    pins = subprocess.run(
        ["cksum"],
        input=b"".join((checkout / n).read_bytes() for n in ("pyproject.toml", "constraints.txt")),
        capture_output=True,
        check=True,
    )
    version = subprocess.run([binaries / "python", "-V"], capture_output=True, text=True, check=True).stdout.strip()
    (checkout / ".venv" / "stamp").write_text(f"{pins.stdout.decode().strip()} {version} {checkout.resolve()}\n")
    started = time.perf_counter()
    result = start(checkout, "forget", "--skill", "two words", "")
    assert time.perf_counter() - started < 2
    assert (result.returncode, result.stdout) == (7, "[lifelong][forget][--skill][two words][]")
    result = start(checkout, "run", "--out", "my runs")
    assert (result.returncode, result.stdout) == (7, f"[just][--justfile][{checkout.resolve()}/justfile][run][--out][my runs]")


@pytest.mark.slow
def test_the_command_starts_from_a_folder_with_any_name(checkout: Path) -> None:
    """As after a real setup, but nothing is downloaded: the project needs no packages, and the command is a line."""
    extras = '[project.optional-dependencies]\ndev = ["lifelong[all]"]\nall = ["pip"]\n'
    (checkout / "pyproject.toml").write_text("[project]\ndependencies = []\n" + extras)
    (checkout / "interfaces").mkdir()
    (checkout / "__init__.py").touch()
    (checkout / "interfaces" / "__init__.py").touch()
    (checkout / "interfaces" / "cli.py").write_text("import sys\ndef main(): print(sys.prefix, sys.argv[1:])\n")
    (checkout / "constraints.txt").write_text("")
    outside = {"LIFELONG_PYTHON": sys.executable, "PIP_NO_INDEX": "1", "PYTHONPATH": ""}
    for _ in range(2):
        result = start(checkout, "status", "two words", "", **outside)
        assert (result.returncode, result.stdout) == (0, f"{checkout.resolve()}/.venv ['status', 'two words', '']\n"), result.stderr
    assert (checkout / ".venv" / "requirements.txt").read_text() == "pip\n"
