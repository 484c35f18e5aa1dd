"""What `lifelong run` does: the stream of tasks, its summary and its report."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .job import run_job
    from .report import write_report
    from .stream import RunEnvironment, Schedule, run_stream

_FACE = {
    "RunEnvironment": "stream",
    "Schedule": "stream",
    "run_job": "job",
    "run_stream": "stream",
    "write_report": "report",
}

__all__ = [
    "RunEnvironment",
    "Schedule",
    "run_job",
    "run_stream",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name in _FACE:
        return getattr(import_module(f".{_FACE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
