"""The protocols that chat tools and agents speak, one module each, and what they share: events, parts, the bytes of a body."""

from __future__ import annotations

MEMBERS = {
    "openai-chat": "openai_chat:OpenAIChat",
    "openai-responses": "openai_responses:OpenAIResponses",
    "anthropic-messages": "anthropic_messages:AnthropicMessages",
}
"""The protocols that clients may speak; each codec is made without arguments and is posted to at its own path."""
