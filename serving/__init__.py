"""Where the model runs: the embedded engine, the vLLM engine, and getting model files.

The room has one noun, `Engine`, and one seam: requests go in, replies come out, adapters are published and retired by name.
`EmbeddedEngine` runs the model in this process and needs nothing but its files, which `locate` finds or pulls;
`VLLMEngine` asks a vLLM server, or any other that speaks the OpenAI protocol; `VLLMServer` starts one, watches it and stops it.
`hot_swap` measures what a change of adapters does to clients that keep asking. `EngineChatModel` shows any engine to LangChain.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .engine import ChatReply, ChatRequest, Choice, Engine

if TYPE_CHECKING:
    from .adapter_files import adapter_provenance, check_directory, seal_adapter
    from .adapter_swap import HotSwap, hot_swap
    from .chat_model import EngineChatModel
    from .download import quiet_transformers
    from .embedded import EmbeddedEngine
    from .models import MODELS, CachedModel, ModelFile, cache_directory, listed, locate, pull, refuse_custom_code, verify
    from .openai import OpenAIEngine
    from .openai_wire import api_key
    from .process_memory import give_back_memory
    from .prompts import ChatPrompts
    from .vllm import VLLMEngine
    from .vllm_server import VLLMServer

MEMBERS = {
    "embedded": "embedded:open_embedded",
    "openai": "openai:open_openai",
    "vllm": "vllm:open_vllm",
}
"""Values of `model.engine`, each a function that opens an engine from the settings."""

_FACE = {
    "MODELS": "models",
    "CachedModel": "models",
    "ChatPrompts": "prompts",
    "EmbeddedEngine": "embedded",
    "EngineChatModel": "chat_model",
    "HotSwap": "adapter_swap",
    "ModelFile": "models",
    "OpenAIEngine": "openai",
    "VLLMEngine": "vllm",
    "VLLMServer": "vllm_server",
    "adapter_provenance": "adapter_files",
    "api_key": "openai_wire",
    "cache_directory": "models",
    "check_directory": "adapter_files",
    "give_back_memory": "process_memory",
    "hot_swap": "adapter_swap",
    "listed": "models",
    "locate": "models",
    "pull": "models",
    "quiet_transformers": "download",
    "refuse_custom_code": "models",
    "seal_adapter": "adapter_files",
    "verify": "models",
}

__all__ = [
    "MEMBERS",
    "MODELS",
    "CachedModel",
    "ChatPrompts",
    "ChatReply",
    "ChatRequest",
    "Choice",
    "EmbeddedEngine",
    "Engine",
    "EngineChatModel",
    "HotSwap",
    "ModelFile",
    "OpenAIEngine",
    "VLLMEngine",
    "VLLMServer",
    "adapter_provenance",
    "api_key",
    "cache_directory",
    "check_directory",
    "give_back_memory",
    "hot_swap",
    "listed",
    "locate",
    "pull",
    "quiet_transformers",
    "refuse_custom_code",
    "seal_adapter",
    "verify",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562): torch and LangChain load only where they are used."""
    if name in _FACE:
        return getattr(import_module(f".{_FACE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
