"""The HTTP gateway that chat tools and agents talk to."""

from __future__ import annotations

MEMBERS = {
    "openai-chat": "openai_chat:OpenAIChat",
}
"""The protocols that clients may speak; each codec is made without arguments and is posted to at its own path."""
