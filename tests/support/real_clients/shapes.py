"""Shapes of real conversations: who spoke, how long, and hashes of what was said; no texts, so that they can be kept and shared.

A recorded message is rebuilt with hashes in the place of texts: what was equal stays equal, and what was long stays long enough to count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from lifelong.core import Answer, Message, text_of, without_client_text
from lifelong.interfaces.gateway.app import CODECS
from lifelong.interfaces.gateway.clients import hints_of

SHAPES = Path(__file__).resolve().parents[2] / "clients" / "shapes"
"""Where they lie, one file a client."""
ID_HEADERS = ("session", "thread", "request-id", "affinity", "window", "conversation", "trace", "installation", "parent")
"""Parts of the names of headers whose values are ids; of these a hash is kept, of others the name alone."""


def digest(text: str) -> str:
    """A hash of a text, white space aside."""
    return hashlib.blake2b(" ".join(text.split()).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class Recording:
    """The requests of one client, with every message kept once."""

    def __init__(self, client: str, version: str) -> None:
        self._client = client
        self._version = version
        self._messages: list[dict[str, Any]] = []
        self._requests: list[dict[str, Any]] = []

    def add(self, conversation: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any], answer: Answer) -> None:
        """Keep one request; `conversation` is which of the client's conversations it truly belongs to."""
        codec = next(one for one in CODECS if path.startswith(one.path))
        read = codec.parse(body)
        system = "\n".join(text_of(one) for one in read.messages if one["role"] == "system")
        self._requests.append(
            {
                "conversation": conversation,
                "path": codec.path,
                "stream": read.stream,
                "headers": sorted(headers),
                "ids": {name: digest(value) for name, value in headers.items() if any(part in name for part in ID_HEADERS)},
                "fields": sorted(name for name in body if name not in ("model", codec.member)),
                "side": hints_of([], body, system).side,
                "system": [digest(system), len(system)],
                "tools": [digest(json.dumps(read.tools, sort_keys=True)), len(read.tools)],
                "messages": [self._number(one) for one in read.messages if one["role"] != "system"],
                "answer": self._number(answer.message),
            }
        )

    def _number(self, message: Message) -> int:
        shape = shape_of(message)
        if shape not in self._messages:
            self._messages.append(shape)
        return self._messages.index(shape)

    def save(self, folder: Path = SHAPES) -> None:
        """Write one file, one request or message a line."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f'{{"client": "{self._client}", "version": "{self._version}", "messages": [']
        lines.append(",\n".join(json.dumps(one) for one in self._messages) + '], "requests": [')
        lines.append(",\n".join(json.dumps(one) for one in self._requests) + "]}")
        (folder / f"{self._client}.json").write_text("\n".join(lines) + "\n")


def shape_of(message: Message) -> dict[str, Any]:
    """Role, hash and length of the text, and of each string that a tool is called with; what a client adds is left out."""
    text = without_client_text(text_of(message)) if message["role"] == "user" else text_of(message)
    shape: dict[str, Any] = {"role": message["role"], "text": digest(text), "length": len(text)}
    if calls := message.get("tool_calls"):
        shape["calls"] = [{"name": digest(one["function"]["name"]), "arguments": _arguments(one["function"]["arguments"])} for one in calls]
        shape["ids"] = [digest(one["id"]) for one in calls]
    if id := message.get("tool_call_id"):
        shape["id"] = digest(str(id))
    return shape


def _arguments(written: str) -> list[tuple[str, int]]:
    try:
        read = json.loads(written)
    except ValueError:
        return [(digest(written), len(written))]
    values = read.values() if isinstance(read, dict) else [read]
    texts = [one if isinstance(one, str) else json.dumps(one, sort_keys=True) for one in values]
    return [(digest(one), len(one)) for one in texts]


def message_of(shape: Mapping[str, Any]) -> Message:
    """A message of this shape, with hashes for texts."""
    message: dict[str, Any] = {"role": shape["role"], "content": _text(shape["text"], shape["length"])}
    if calls := shape.get("calls"):
        message["tool_calls"] = [
            {"id": id, "type": "function", "function": {"name": call["name"], "arguments": json.dumps(_named(call["arguments"]))}}
            for id, call in zip(shape["ids"], calls, strict=True)
        ]
    if "id" in shape:
        message["tool_call_id"] = shape["id"]
    return cast(Message, message)


def _named(arguments: Sequence[tuple[str, int]]) -> dict[str, str]:
    return {f"a{number}": _text(hash, length) for number, (hash, length) in enumerate(arguments)}


def _text(hash: str, length: int) -> str:
    """As long as the text was, up to all of the hash; a text that said nothing says nothing."""
    return hash[:length] if length < len(hash) else hash
