"""What a user runs imports no benchmark."""

from __future__ import annotations

import subprocess
import sys

RUN = """
from pathlib import Path
from lifelong.interfaces.commands import learning, serving, looking
from lifelong.orchestrator import LifelongLearner
from lifelong.runs import job, report, stream
from lifelong.interfaces.gateway.app import create_app
from lifelong.interfaces.commands import learner
"""
SERVE = """
import lifelong.interfaces.cli
from lifelong.interfaces.commands.learner import open_learner
from lifelong.interfaces.gateway.app import create_app
"""


def test_run_and_serve_import_no_benchmark() -> None:
    """Both in one process: a benchmark that either imports is there at its end."""
    script = f"{RUN}{SERVE}\nimport sys\nprint(sorted(name for name in sys.modules if name.startswith('lifelong.evals')))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == "[]"
