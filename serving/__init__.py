"""Where the model runs: engines, model files, adapters' files and prompts.

An `Engine` takes requests and gives replies; adapters are published and retired by name. Members, by the value of `model.engine`:
`EmbeddedEngine` runs the model in this process and needs nothing but its files, which `locate` finds or downloads; `VLLMEngine` asks
a vLLM server, which `VLLMServer` starts, watches and stops; `OpenAIEngine` asks any compatible URL and needs no local weights.
`hot_swap` measures what a change of adapters does to clients that keep asking. `EngineChatModel` shows any engine to LangChain.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .conversation_cache import ConversationCache, ConversationCaches
from .engine import (
    ChatPiece,
    ChatReply,
    ChatRequest,
    Choice,
    Engine,
    TokenLogprob,
    UpstreamAddress,
    check_options,
    context_of,
    in_one_piece,
    takes_grammars,
)

if TYPE_CHECKING:
    from .adapter_files import adapter_provenance, check_directory, is_sealed, seal_adapter
    from .adapter_swap import HotSwap, hot_swap
    from .chat_model import EngineChatModel
    from .decoding.grammar import grammar_accepts, grammar_error, grammar_of
    from .download import quiet_transformers
    from .embedded import EmbeddedEngine
    from .models import MODELS, CachedModel, ModelFile, cache_directory, list_models, locate, pull, refuse_custom_code, verify
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
    "grammar_accepts": "decoding.grammar",
    "grammar_error": "decoding.grammar",
    "grammar_of": "decoding.grammar",
    "hot_swap": "adapter_swap",
    "is_sealed": "adapter_files",
    "list_models": "models",
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
    "ChatPiece",
    "ChatPrompts",
    "ChatReply",
    "ChatRequest",
    "Choice",
    "ConversationCache",
    "ConversationCaches",
    "EmbeddedEngine",
    "Engine",
    "EngineChatModel",
    "HotSwap",
    "ModelFile",
    "OpenAIEngine",
    "TokenLogprob",
    "UpstreamAddress",
    "VLLMEngine",
    "VLLMServer",
    "adapter_provenance",
    "api_key",
    "cache_directory",
    "check_directory",
    "check_options",
    "context_of",
    "give_back_memory",
    "grammar_accepts",
    "grammar_error",
    "grammar_of",
    "hot_swap",
    "in_one_piece",
    "is_sealed",
    "list_models",
    "locate",
    "pull",
    "quiet_transformers",
    "refuse_custom_code",
    "seal_adapter",
    "takes_grammars",
    "verify",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562): torch and LangChain load only where they are used."""
    if name in _FACE:
        return getattr(import_module(f".{_FACE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
