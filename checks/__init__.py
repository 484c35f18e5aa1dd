"""Public contract checks: what a new head, scorer, engine, environment, store, strategy, phase or codec must fulfil.

Each is a function that raises `AssertionError` with the rule that is broken.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .codec import CodecSamples, check_codec
    from .discoverer import check_discoverer
    from .encoder import check_encoder
    from .engine import check_engine
    from .environment import check_environment
    from .head import check_head
    from .phase import check_phase
    from .scorer import check_scorer
    from .store import check_store
    from .strategy import check_strategy

_FACE = {
    "CodecSamples": "codec",
    "check_codec": "codec",
    "check_discoverer": "discoverer",
    "check_encoder": "encoder",
    "check_engine": "engine",
    "check_environment": "environment",
    "check_head": "head",
    "check_phase": "phase",
    "check_scorer": "scorer",
    "check_store": "store",
    "check_strategy": "strategy",
}

__all__ = [
    "CodecSamples",
    "check_codec",
    "check_discoverer",
    "check_encoder",
    "check_engine",
    "check_environment",
    "check_head",
    "check_phase",
    "check_scorer",
    "check_store",
    "check_strategy",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name in _FACE:
        return getattr(import_module(f".{_FACE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
