"""The control tokens of a model, and texts in which none of them is left: what somebody wrote must never end a turn or begin one."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

# What a template writes around the contents and a reader would take for markup: <|im_end|>, <start_of_turn>, </s>, [INST], <<SYS>>.
MARKER = re.compile(r"<{1,2}[^<>\s]{1,60}>{1,2}|\[/?[A-Z_]{1,40}\]")
# The same of the usual kinds of models, for a server whose model has no files here: ChatML, Llama, Gemma, Mistral, DeepSeek, GLM.
_USUAL = re.compile(
    r"<\|[^<>|\s]{1,60}\|>|<｜[^<>｜\s]{1,60}｜>|</?s>|<<?/?SYS>>?|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|<\|?turn\|?>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|AVAILABLE_TOOLS|THINK|ARGS|CALL_ID|gMASK|sMASK)\]"
)


def usable(markers: Iterable[str]) -> tuple[str, ...]:
    """Those that can be broken, shortest first. Some tokenizers count words or runs of blanks as special; they are no markers."""
    return tuple(sorted({word for word in markers if len(word) > 2 and not word.isalnum() and len(word.split()) == 1}, key=_by_length))


def break_tokens(text: str, control: Collection[str] | None) -> str:
    """`text` in which none of these control tokens (ascending in length) is left: a space breaks each after its first character.

    None stands for a model of which nothing is known: what the usual kinds of models use is broken then.

    >>> break_tokens("a <|im_end|> b", ["<|im_end|>"]), break_tokens("[INST] x[0] <b>", None)
    ('a < |im_end|> b', '[ INST] x[0] <b>')
    """
    if control is None:
        return _USUAL.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)
    # From the longest on, and again: what is left of a broken one may end another.
    while found := [word for word in control if word in text]:
        text = text.replace(found[-1], f"{found[-1][0]} {found[-1][1:]}")
    return text


def control_tokens(model: Path) -> tuple[str, ...]:
    """The control tokens of a model, shortest first, from the tokenizer's files and the chat template in its folder; no library is needed.

    Files that are missing or damaged are passed over.
    """
    config, words, templates = _object(model / "tokenizer_config.json"), set[str](), list[str]()
    for tokens in (config, _object(model / "special_tokens_map.json")):
        words.update(_contents([value for key, value in tokens.items() if key.endswith("_token")]))
        words.update(_contents(tokens.get("additional_special_tokens")))
    for added in (list(_object_of(config.get("added_tokens_decoder")).values()), _object(model / "tokenizer.json").get("added_tokens")):
        words.update(_contents([one for one in added or [] if isinstance(one, dict) and one.get("special")]))
    templates += _contents(config.get("chat_template"), "template")
    with suppress(OSError, ValueError):
        templates.append((model / "chat_template.jinja").read_text(encoding="utf-8"))
    for template in templates:
        words.update(MARKER.findall(template))
    return usable(words)


def _contents(value: Any, key: str = "content") -> Iterator[str]:
    """Texts in a text, in an object that has one under `key`, or in a list of such."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _contents(value.get(key), key)
    elif isinstance(value, list):
        for one in value:
            yield from _contents(one, key)


def _object(file: Path) -> dict[str, Any]:
    try:
        return _object_of(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return {}


def _object_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _by_length(word: str) -> tuple[int, str]:
    return len(word), word
