"""Where an agent works: a folder with a code to copy, and whether it was copied."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from real_clients.scripted_model import SHELL_ARGUMENTS


class Workspace:
    """A new folder with `code.txt` in it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.code = f"code-{secrets.token_hex(6)}"
        (folder / "code.txt").write_text(f"The code is {self.code}.\n")

    @property
    def copied(self) -> bool:
        """Whether the marker file holds the code: the model asked twice, and learned from the first answer what to write."""
        marker = self.folder / "marker.txt"
        return marker.exists() and marker.read_text() == self.code

    def run(self, arguments: Mapping[str, Any]) -> str:
        """What a shell tool does with its arguments."""
        command = next(arguments[name] for name in SHELL_ARGUMENTS if name in arguments)
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr
