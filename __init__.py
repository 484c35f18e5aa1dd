"""The layer that makes an LLM agent better with use, aware of what it does not know, and able to forget."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .core import Episode, Lesson, Outcome, Settings, Task
    from .orchestrator import LifelongLearner

_FACE = {
    "Episode": "core",
    "Lesson": "core",
    "LifelongLearner": "orchestrator",
    "Outcome": "core",
    "Settings": "core",
    "Task": "core",
}

__all__ = ["Episode", "Lesson", "LifelongLearner", "Outcome", "Settings", "Task"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562), so that `import lifelong` stays instant."""
    if name in _FACE:
        return getattr(import_module(f".{_FACE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
