"""`lifelong import`: conversations of before, from a file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...core import DataMalformed, MalformedTask, Settings
from ..console import say
from .options import TenantFlag, takes_settings
from .progress import progress_bars

if TYPE_CHECKING:
    from ...orchestrator.open_runs.imports import Chat

ROLES = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bing": "assistant", "bard": "assistant"}
"""What ShareGPT calls the roles; the others have OpenAI's names."""
TIMES = ("created", "created_at", "create_time", "timestamp")
"""Fields that may hold when a conversation took place."""
NAMES = ("session", "conversation_id", "id")
"""Fields that may hold what it is called."""
SHAPES = (
    'one conversation a line, {"messages": [{"role": "user", "content": "..."}, ...]}, or {"conversations": [{"from": "human", '
    '"value": "..."}, ...]}, or {"prompt": "...", "completion": "..."}; or one JSON list of these'
)
"""What a file may hold."""


@takes_settings
def import_(
    settings: Settings,
    file: Annotated[Path, typer.Argument(help="Conversations as JSON lines or one JSON list, in OpenAI's, ShareGPT's or pairs' form.")],
    tenant: TenantFlag = "default",
) -> None:
    """Remember conversations of before, from a file."""
    # All of it is read before any of it is recorded: of a file with a mistake nothing is kept.
    total = sum(1 for _ in read_chats(file))
    if not total:
        raise DataMalformed(f"{file} holds no conversation; write {SHAPES}")
    from ...orchestrator.open_runs.imports import import_chats

    with progress_bars() as tell:
        done = import_chats(settings, read_chats(file), tenant=tenant, progress=lambda count: tell("import", count, total))
    known = "; all others stood in the record" if not done.episodes else ""
    say(f"{done.chats} conversations read, {done.episodes} episodes recorded{known}")


def read_chats(file: Path) -> Iterator[Chat]:
    """The conversations of a file, whose form is found by itself. Raises `DataMalformed`, with the line or place, and `OSError`."""
    for place, one in _entries(file):
        try:
            yield _chat(one)
        except MalformedTask as error:
            raise DataMalformed(f"{file}, {place}: {error}; write {SHAPES}") from None


def _entries(file: Path) -> Iterator[tuple[str, Any]]:
    """Each conversation as it is written, with the words for its place."""
    try:
        with file.open(encoding="utf-8-sig", newline="\n") as lines:
            first = next((line for line in lines if line.strip()), "")
        if first.lstrip().startswith("["):
            listed = json.loads(file.read_text("utf-8-sig"))
            yield from ((f"entry {number}", one) for number, one in enumerate(listed, 1))
            return
        with file.open(encoding="utf-8-sig", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    try:
                        yield f"line {number}", json.loads(line)
                    except (ValueError, RecursionError) as error:
                        raise DataMalformed(f"{file}, line {number} is no JSON ({error}); write {SHAPES}") from None
    except UnicodeDecodeError as error:
        raise DataMalformed(f"{file} is no UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from None
    except DataMalformed:
        raise
    except (ValueError, RecursionError) as error:
        raise DataMalformed(f"{file} is no JSON list ({error}); write {SHAPES}") from None


def _chat(written: Any) -> Chat:
    """Raises `MalformedTask` for what is no conversation."""
    from ...orchestrator.open_runs.imports import Chat
    from ..gateway.protocols.openai_chat import OpenAIChat

    if not isinstance(written, Mapping):
        raise MalformedTask("this is no JSON object")
    # What a conversation ends with is the model's turn, and what a request ends with the user's: one more is put behind and taken off.
    body = {"model": "imported", "messages": [*_messages(written), {"role": "user", "content": "."}]}
    _refuse_half_characters(body)
    messages = OpenAIChat().parse(body).messages[:-1]
    if not any(one["role"] == "user" for one in messages):
        raise MalformedTask("no message is a user's")
    name = next((written[field] for field in NAMES if isinstance(written.get(field), str) and written[field].strip()), "")
    return Chat(messages=messages, session=name[:256], created=_moment(written))


def _messages(written: Mapping[str, Any]) -> list[Any]:
    if isinstance(written.get("messages"), list):
        return list(written["messages"])
    if isinstance(written.get("conversations"), list):
        turns = written["conversations"]
        if not all(isinstance(one, Mapping) and isinstance(one.get("from"), str) and isinstance(one.get("value"), str) for one in turns):
            raise MalformedTask("a turn of conversations has no text in `from` or `value`")
        return [{"role": ROLES.get(one["from"], one["from"]), "content": one.get("value")} for one in turns]
    if isinstance(written.get("prompt"), str) and isinstance(written.get("completion"), str):
        return [{"role": "user", "content": written["prompt"]}, {"role": "assistant", "content": written["completion"]}]
    raise MalformedTask("there are no messages in it")


def _moment(written: Mapping[str, Any]) -> float | None:
    """When it took place, in seconds since the epoch; None where it does not say so in a number."""
    values = (written.get(field) for field in TIMES)
    numbers = (float(one) for one in values if isinstance(one, int | float) and not isinstance(one, bool) and abs(one) < 1e15)
    return next((one for one in numbers if math.isfinite(one) and 0 < one < 1e11), None)


def _refuse_half_characters(body: Mapping[str, Any]) -> None:
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise MalformedTask("it holds half of a surrogate pair, which is no text") from None
