"""From messages to the tokens that a model reads, the same for answering and for training.

Two things may not happen on the way. What somebody wrote must never become a control token, such as the marker that ends a turn:
a text would then write the system's turn. And a chat template without a system role must not lose the instructions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any, cast

from ..core import MalformedTask, Message, ToolSpecification, plain_messages, text_of
from ..core.messages import ROLES, Role
from .control_tokens import MARKER, break_tokens, usable

_SURROGATE = re.compile("[\ud800-\udfff]")
_PROBES = {"system": "Zqinstructionsqz", "user": "Zqquestionqz", "assistant": "Zqanswerqz"}


def clean_text(text: str) -> str:
    """`text` with every lone surrogate, which no encoding can carry, replaced by U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def clean_messages(messages: Sequence[Message], clean: Callable[[str], str] = clean_text) -> list[Message]:
    """Messages of which every text can be encoded, or is as `clean` makes it."""
    return [cast(Message, _cleaned(message, clean)) for message in messages]


def _cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {key: _cleaned(item, clean) for key, item in value.items()}
    return [_cleaned(item, clean) for item in value] if isinstance(value, list | tuple) else value


class ChatPrompts:
    """What a tokenizer of the transformers library, with its chat template, makes of messages and texts."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._one_at_a_time = Lock()
        self.has_system_role = self._shows_system()
        markers = {str(token) for token in tokenizer.all_special_tokens}
        markers |= {str(token) for token in getattr(tokenizer, "added_tokens_decoder", {}).values() if getattr(token, "special", False)}
        self._control = usable(markers | set(MARKER.findall(self._scaffold())))

    def tokens(self, messages: Sequence[Message], tools: Sequence[ToolSpecification] = ()) -> list[int]:
        """Tokens of a conversation that wants the assistant's next turn. Raises `MalformedTask` when the template refuses it."""
        return self._encode(self.text(messages, tools), plain=False)

    def text(self, messages: Sequence[Message], tools: Sequence[ToolSpecification] = ()) -> str:
        """The conversation as the template writes it, with the beginning of the assistant's turn."""
        if not messages:
            raise MalformedTask("a conversation needs at least one message")
        # A template prints a role as it stands.
        if strange := next((message["role"] for message in messages if message["role"] not in ROLES), ""):
            raise MalformedTask(f"{strange[:40]!r} is not the role of a message; use {', '.join(ROLES)}")
        turns: list[Message] = [{**message, "content": self.harmless(text_of(message))} for message in plain_messages(messages, tools)]
        if self.has_system_role:
            # Templates raise errors of their own, and of their language's, for an order of roles that they do not know.
            with suppress(Exception):
                return self._render(turns)
        try:
            return self._render(fold_system(turns))
        except Exception as error:
            raise MalformedTask(
                f"the model's chat template refuses the conversation ({str(error)[:200]}); let user and assistant take turns"
            ) from error

    def harmless(self, text: str) -> str:
        """`text` in which no control token is left: a space breaks each after its first character, `< |im_end|>`."""
        return break_tokens(clean_text(text), self._control)

    def plain_tokens(self, text: str) -> list[int]:
        """Tokens of a bare text, of which none is a control token; decoded, they give the text again."""
        return self._encode(clean_text(text), plain=True)

    def _shows_system(self) -> bool:
        try:
            return _PROBES["system"] in self._render([_probe("system"), _probe("user")])
        except Exception:  # as in `text`
            return False

    def _scaffold(self) -> str:
        """What the template writes around the contents of a conversation."""
        turns = [_probe("user"), _probe("assistant"), _probe("user")]
        turns = [_probe("system"), *turns] if self.has_system_role else turns
        try:
            return self._render(turns) + self._render(turns[:-1], prompt=False)
        except Exception:  # as in `text`; the special tokens are known all the same
            return ""

    def _render(self, messages: Sequence[Message], *, prompt: bool = True) -> str:
        text: str = self._tokenizer.apply_chat_template(list(messages), add_generation_prompt=prompt, tokenize=False)
        return text

    def _encode(self, text: str, *, plain: bool) -> list[int]:
        # `split_special_tokens` changes the tokenizer itself, so two threads must not do it at once.
        with self._one_at_a_time:
            ids: list[int] = self._tokenizer(text, add_special_tokens=False, split_special_tokens=plain)["input_ids"]
        return ids


def fold_system(messages: Sequence[Message]) -> list[Message]:
    """For templates without a system role: instructions open the next user turn, and neighbouring turns of one role are joined."""
    turns: list[Message] = []
    waiting: list[str] = []
    for message in messages:
        role, content = message["role"], text_of(message)
        if role == "system":
            waiting += [content] if content.strip() else []
            continue
        if role == "user":
            content, waiting = "\n\n".join([*waiting, content]), []
        if turns and turns[-1]["role"] == role:
            turns[-1] = {**message, "content": f"{turns[-1]['content']}\n\n{content}"}
        else:
            turns.append({**message, "content": content})
    return [*turns, {"role": "user", "content": "\n\n".join(waiting)}] if waiting else turns


def _probe(role: Role) -> Message:
    return {"role": role, "content": _PROBES[role]}
