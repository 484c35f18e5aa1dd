"""What an environment returned, checked and made plain: texts, finite numbers, true or false."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_TEXT = 20_000
"""Characters of one observation; the rest of a longer one is cut, and a mark says how much."""


class RuleBroken(ValueError):
    """An environment returned what the `Environment` protocol does not allow; the message names the rule."""


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """What `step` returned, made plain."""

    text: str
    """The observation."""
    reward: float
    """A finite number."""
    terminated: bool
    """Whether the episode ended by itself."""
    truncated: bool
    """Whether the environment cut it short."""
    success: bool
    """Whether the task is solved."""
    error: bool
    """Whether the action was refused."""


def plain_text(value: Any) -> str:
    """An observation as text of at most `MAX_TEXT` characters and a mark.

    Bytes are read as UTF-8, None is empty, anything else that is no text becomes JSON, or its `str` where it has none. Characters
    that UTF-8 cannot hold become `?`.

    >>> plain_text({"door": "open"}), plain_text(b"ok"), plain_text(None)
    ('{"door": "open"}', 'ok', '')
    """
    if isinstance(value, bytes | bytearray):
        text = bytes(value).decode(errors="replace")
    elif isinstance(value, str):
        text = value
    elif value is None:
        text = ""
    else:
        try:
            text = json.dumps(value, ensure_ascii=False, default=str)
        except (TypeError, ValueError):
            text = str(value)
    text = str(text).encode(errors="replace").decode()
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[:MAX_TEXT]}\n[{len(text) - MAX_TEXT} of {len(text)} characters cut]"


def read_reset(result: Any) -> str:
    """The first observation of what `reset` returned. Raises `RuleBroken`."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuleBroken(f"reset must return two values, observation and info; got {_described(result)}")
    return plain_text(result[0])


def read_step(result: Any) -> StepResult:
    """What `step` returned, with numbers and flags of any kind (NumPy's too) made Python's own. Raises `RuleBroken`.

    Where `info` names no success, an episode counts as solved that terminates with a reward of 1 or more.
    """
    if not isinstance(result, tuple) or len(result) != 5:
        raise RuleBroken(f"step must return five values, observation, reward, terminated, truncated and info; got {_described(result)}")
    observation, given, terminated, truncated, info = result
    if not isinstance(info if info is not None else {}, Mapping):
        raise RuleBroken(f"step's info must be a mapping; got {_described(info)}")
    info = info or {}
    reward, ended = _number(given), _flag("terminated", terminated)
    return StepResult(
        text=plain_text(observation),
        reward=reward,
        terminated=ended,
        truncated=_flag("truncated", truncated),
        success=_flag('info["success"]', info["success"]) if info.get("success") is not None else ended and reward >= 1,
        error=_flag('info["error"]', info["error"]) if info.get("error") is not None else False,
    )


def read_choices(result: Any) -> tuple[str, ...]:
    """What `admissible` returned, as texts. Raises `RuleBroken`."""
    if isinstance(result, str | bytes) or not hasattr(result, "__iter__"):
        raise RuleBroken(f"admissible must return a sequence of texts; got {_described(result)}")
    return tuple(plain_text(choice) for choice in result)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise RuleBroken(f"step's reward must be a number; got {_described(value)}") from None
    if not math.isfinite(number):
        raise RuleBroken(f"step's reward must be a finite number; got {number}")
    return number


def _flag(name: str, value: Any) -> bool:
    plain = value.item() if getattr(value, "shape", None) == () else value  # NumPy's scalars
    if not isinstance(plain, bool | int | float) or plain not in (0, 1):  # NaN is true to Python
        raise RuleBroken(f"step's {name} must be true or false; got {_described(value)}")
    return bool(plain)


def _described(value: Any) -> str:
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return f"{type(value).__name__} {str(value)[:80]!r}"
