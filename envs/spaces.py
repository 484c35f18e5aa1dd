"""Observations of Gymnasium's spaces, taken apart: arrays by name, a text that says what they hold, and whether they fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from .payloads import Array
from .results import RuleBroken

MOST_NUMBERS = 16
"""Numbers of an array that are written out; of a larger one its shape, range and mean are said."""
_ARRAYS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


def leaves(space: spaces.Space[Any], observation: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Name and value of every part: texts, and arrays of the shape that the space says; `camera.depth` is `depth` within `camera`.

    Raises `RuleBroken` for what does not fit the space, with its name, and for a space of another kind. Values outside of a box's bounds
    are taken as they are.
    """
    if isinstance(space, spaces.Dict):
        if not isinstance(observation, Mapping) or set(observation) != set(space.spaces):
            found = sorted(map(str, observation)) if isinstance(observation, Mapping) else type(observation).__name__
            raise RuleBroken(f"observation{_at(name)} must hold {sorted(map(str, space.spaces))}, as its space says; got {found}")
        for key, inner in space.spaces.items():
            yield from leaves(inner, observation[key], f"{name}.{key}" if name else str(key))
    elif isinstance(space, spaces.Tuple):
        if not isinstance(observation, tuple | list) or len(observation) != len(space.spaces):
            raise RuleBroken(f"observation{_at(name)} must be a tuple of {len(space.spaces)}, as its space says")
        for number, inner in enumerate(space.spaces):
            yield from leaves(inner, observation[number], f"{name}.{number}" if name else str(number))
    elif isinstance(space, spaces.Text):
        yield name, str(observation)
    elif isinstance(space, _ARRAYS):
        yield name, _array(space, observation, name)
    else:
        raise RuleBroken(
            f"observation{_at(name)} is of {type(space).__name__}; Box, Dict, Discrete, MultiBinary, MultiDiscrete, Text, Tuple can be read"
        )


def caption(parts: Mapping[str, Any]) -> str:
    """The parts in words, where nobody says it better.

    >>> caption({"place": np.array([2, 3]), "mission": "find the key"})
    'place: 2, 3; mission: find the key'
    """
    return "; ".join(f"{name}: {_said(value)}" if name else _said(value) for name, value in parts.items())


def _array(space: spaces.Space[Any], observation: Any, name: str) -> Array:
    try:
        array = np.asarray(observation, dtype=space.dtype)
    except (TypeError, ValueError):
        raise RuleBroken(f"observation{_at(name)} must hold {space.dtype}, as its space says; got {str(observation)[:60]!r}") from None
    if array.shape != space.shape:
        raise RuleBroken(f"observation{_at(name)} has shape {array.shape}; its space says {space.shape}")
    if isinstance(space, spaces.Discrete) and not space.start <= array < space.start + space.n:
        raise RuleBroken(f"observation{_at(name)} is {array}; its space says {space.start} to {space.start + space.n - 1}")
    return array


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value.size <= MOST_NUMBERS:
        return ", ".join(f"{number:.4g}" for number in value.ravel().tolist())
    sizes = "x".join(map(str, value.shape))
    return f"{sizes} numbers from {value.min():.4g} to {value.max():.4g}, mean {value.mean():.4g}"


def _at(name: str) -> str:
    return f" {name!r}" if name else ""
