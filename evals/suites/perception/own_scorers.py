"""Scorers that a case measures: those of its table that are wanted, and those that are named besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from ....core.plugins import create
from ....perception import Scorer
from ...row_filter import RowFilter


def wanted_scorers(table: Mapping[str, Callable[[], Scorer]], only: RowFilter, others: Iterable[str]) -> dict[str, Callable[[], Scorer]]:
    """The wanted scorers of a table; what is named, is not in it and is none of the `others`, is a scorer by its name or `module:Class`."""
    own = {name: partial(create, "scorers", name) for name in only.own("scorers", (*table, *others))}
    return {name: make for name, make in table.items() if only.wants_method(name)} | own


def novelty_sign(scorer: Scorer) -> int:
    """1 for a scorer whose name ends in `Novelty`, -1 for a confidence: times this, larger is stranger."""
    return 1 if type(scorer).__name__.endswith("Novelty") else -1
