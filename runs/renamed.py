"""Files of runs that version 0.1 wrote use other names: `current_summary` and `current_plan` read them for one more version."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

SUMMARY = {"families": "environments", "meter": "memory_effect"}
"""Keys of a summary, and of its `metrics`."""
ROWS = {"family": "environment"}
"""Keys of its rows."""
LISTS = ("evaluations", "nights", "stream", "examples")
"""The lists of rows."""


def current_summary(summary: Mapping[str, Any]) -> Mapping[str, Any]:
    """The summary under today's names, with a `FutureWarning` if it used older ones; the given one is not changed."""
    rows = {name: [_renamed(row, ROWS) for row in summary[name]] for name in LISTS if name in summary}
    result = {**_renamed(summary, SUMMARY), **rows}
    if "metrics" in result:
        result["metrics"] = _renamed(result["metrics"], SUMMARY)
    if result == summary:
        return summary
    old = ", ".join(f"{name} is now {new}" for name, new in (SUMMARY | ROWS).items())
    # stacklevel 3 points at whoever handed the summary to the function that reads it.
    warnings.warn(f"the summary uses names of version 0.1 ({old}), which the next version no longer reads", FutureWarning, stacklevel=3)
    return result


def current_plan(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The plan of a run under today's names, so that a run that version 0.1 began can be resumed.

    >>> current_plan({"families": ["graph"], "seed": 0})
    {'environments': ['graph'], 'seed': 0}
    """
    return _renamed(plan, {"families": "environments"})


def _renamed(mapping: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A copy in its order with old keys renamed; where both are there, the new one's value stays."""
    return {names.get(key, key): value for key, value in mapping.items() if names.get(key, key) == key or names[key] not in mapping}
