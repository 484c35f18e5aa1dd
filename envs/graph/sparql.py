"""SPARQL that a stranger wrote, run safely: in another process with limits on processor time and memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .._answers import sparql_query
from .._episodes import Reply
from .sparql_worker import answer

PREFIX = "http://lifelong.example/"
"""What the empty prefix stands for; queries need not declare it."""
_WORKER = Path(__file__).with_name("sparql_worker.py")
_WALL_SECONDS = 60
_INTEGER = "^^<http://www.w3.org/2001/XMLSchema#integer>"
_OUTSIDE = re.compile(r"\b(SERVICE|FROM)\b", re.IGNORECASE)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|<[^>]*>")
_SHOWN_ROWS = 5

Triple = tuple[str, str, str | int]
"""Subject and predicate as local names; the object as a local name or a whole number."""
Row = tuple[str, ...]


class QueryRefused(Exception):
    """A query that was not answered, with the reason as the agent is told it."""


@dataclass(frozen=True, kw_only=True)
class GraphProblem:
    """A question about a graph, and the query that answers it."""

    context: str
    """The relations of the graph, in one line."""
    goal: str
    """The question in English."""
    gold: str
    """A query that answers it."""
    triples: tuple[Triple, ...]
    """The graph."""


def run_trusted(triples: Sequence[Triple], query: str) -> tuple[Row, ...]:
    """Rows of a query that we wrote ourselves, in this process. Raises `QueryRefused`."""
    return _rows(answer(_terms(triples), query, PREFIX))


def run(triples: Sequence[Triple], query: str) -> tuple[Row, ...]:
    """Rows of anybody's query. Raises `QueryRefused` for a query that is wrong, forbidden, or takes too much."""
    if _OUTSIDE.search(_QUOTED.sub("", query)):
        raise QueryRefused("only the given graph can be asked, without SERVICE or FROM")
    request = json.dumps({"triples": _terms(triples), "query": query, "prefix": PREFIX})
    try:
        done = subprocess.run(
            [sys.executable, str(_WORKER)], input=request, capture_output=True, text=True, timeout=_WALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise QueryRefused("stopped, the query takes too long") from None
    if done.returncode != 0:
        raise QueryRefused("stopped, the query takes too much time or memory")
    return _rows(json.loads(done.stdout))


def judge(problem: GraphProblem, action: str) -> Reply:
    """Run what a model wrote and compare its rows, as a multiset, with the gold query's."""
    try:
        rows = run(problem.triples, sparql_query(action))
    except QueryRefused as refusal:
        return Reply(text=f"Error: {refusal}", error=True)
    right = Counter(rows) == Counter(run_trusted(problem.triples, problem.gold))
    return Reply(text=_shown(rows), reward=float(right), done=True, success=right)


def _terms(triples: Sequence[Triple]) -> list[list[str]]:
    return [[_term(term) for term in triple] for triple in triples]


def _term(value: str | int) -> str:
    return f'"{value}"{_INTEGER}' if isinstance(value, int) else f"<{PREFIX}{value}>"


def _rows(reply: dict[str, object]) -> tuple[Row, ...]:
    rows = reply.get("rows")
    if not isinstance(rows, list):
        raise QueryRefused(str(reply["error"]))
    return tuple(tuple(_plain(term) for term in row) for row in rows)


def _plain(term: str) -> str:
    """A term without prefix or datatype: `:Oslo` and `"3"^^xsd:integer` read `Oslo` and `3`."""
    if term.startswith("<"):
        return term.strip("<>").removeprefix(PREFIX)
    return term.split("^^")[0].strip('"')


def _shown(rows: Sequence[Row]) -> str:
    more = len(rows) - _SHOWN_ROWS
    return "\n".join([*(", ".join(row)[:80] for row in rows[:_SHOWN_ROWS]), *([f"({more} more rows)"] if more > 0 else [])]) or "(no rows)"
