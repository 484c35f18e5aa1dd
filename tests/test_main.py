"""`python -m lifelong` is the command."""

from __future__ import annotations

import subprocess
import sys

import lifelong


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "lifelong", "--version"], capture_output=True, text=True, check=True)
    assert lifelong.__version__ in done.stdout
    wrong = subprocess.run([sys.executable, "-m", "lifelong", "nonsense"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
