"""Agents from npm at pinned versions, each in a folder of its own below `.clients`, which git ignores.

python tests/support/real_clients/install.py [NAME ...]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CLIENTS = Path(__file__).resolve().parents[3] / ".clients"
"""Where the agents lie."""
FREE_BYTES = 2 << 30
"""What must be free on the disk before each; the largest takes half a gigabyte, and npm's cache as much."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """One agent of npm."""

    name: str
    """The package."""
    version: str
    """The version that was tried."""
    program: str
    """What it is called in `node_modules/.bin`."""
    beside: tuple[str, ...] = ()
    """Further packages that it needs, such as a newer Node."""


PACKAGES: Mapping[str, Package] = {
    "codex": Package(name="@openai/codex", version="0.169.0", program="codex"),
    "opencode": Package(name="opencode-ai", version="1.18.33", program="opencode"),
    "cline": Package(name="cline", version="3.0.65", program="cline"),
    "continue": Package(name="@continuedev/cli", version="1.5.47", program="cn"),
    "qwen": Package(name="@qwen-code/qwen-code", version="0.24.4", program="qwen", beside=("node@22",)),
}
"""The agents that `just clients` runs."""


def program(agent: str) -> Path:
    """Where an agent's program is once it is installed."""
    return CLIENTS / agent / "node_modules" / ".bin" / PACKAGES[agent].program


def installed(agent: str) -> bool:
    """Whether the pinned version is there."""
    version = CLIENTS / agent / "version"
    return program(agent).exists() and version.exists() and version.read_text() == PACKAGES[agent].version


def install(agent: str) -> None:
    """Get one agent, unless it is there. Raises `CalledProcessError`."""
    package, folder = PACKAGES[agent], CLIENTS / agent
    if installed(agent):
        print(f"{agent}: {package.version} is there")
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if shutil.disk_usage(folder).free < FREE_BYTES:
        raise OSError(f"less than {FREE_BYTES >> 30} GiB are free on the disk of {CLIENTS}")
    print(f"{agent}: getting {package.name} {package.version}", flush=True)
    quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--cache", str(CLIENTS / "npm-cache")]
    subprocess.run(["npm", "install", "--prefix", str(folder), *quiet, f"{package.name}@{package.version}", *package.beside], check=True)
    (folder / "version").write_text(package.version)


if __name__ == "__main__":
    if shutil.which("npm") is None:
        sys.exit("npm is not there; the agents come from npm, with Node 20 or newer")
    for name in sys.argv[1:] or PACKAGES:
        install(name)
