"""Repairs of SQL: a statement refused for a name that does not exist is tried again with each name that could have been meant."""

from __future__ import annotations

import re

_NAME = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)*\b")
_HOLDER = re.compile(r"\b([a-z][a-z0-9_]*)\(")
_UNKNOWN = re.compile(r"no such (table|column): (?:\w+\.)?(\w+)")
MOST = 12
"""Names tried at most; a wider choice is no choice for a small model."""
STEM = 4
"""Letters that two words must begin with alike to be taken for forms of one word."""


def repair_candidates(answer: str, error: str, context: str) -> list[str]:
    """The answer with the refused name exchanged for every name of the context that could be meant; empty where none is to blame.

    Small models write names from how the request speaks (`age group`) and not from what is there (`visitor_age_group`).
    The executor says which name is wrong, the context says which exist; those that share a word with the wrong one go
    before all others, tables never stand in for columns, and the model's likelihood picks among what is left.

    >>> repair_candidates("SELECT size FROM teams", "Error: no such column: size", "Table teams(team_id INT, members INT)")
    ['SELECT team_id FROM teams', 'SELECT members FROM teams']
    >>> repair_candidates("SELECT id FROM teams", "Error: no such column: id", "Table teams(team_id INT, members INT)")
    ['SELECT team_id FROM teams']
    """
    match = _UNKNOWN.search(error)
    if not match or not re.search(rf"\b{match[2]}\b", answer):
        return []
    kind, wrong = match.groups()
    holders = set(_HOLDER.findall(context))
    names = [name for name in dict.fromkeys(_NAME.findall(context)) if name != wrong and (name in holders) == (kind == "table")]
    likely = [name for name in names if _akin(name, wrong)] or names
    return [re.sub(rf"\b{wrong}\b", name, answer) for name in likely[:MOST]]


def _akin(name: str, wrong: str) -> bool:
    """Whether two names share a word, or two forms of one such as `seat` and `seats`, `vet` and `veterinarian`."""
    return any(
        one.startswith(other) or other.startswith(one) or one[:STEM] == other[:STEM]
        for one in name.split("_")
        for other in wrong.lower().split("_")
        if min(len(one), len(other)) > 1
    )
