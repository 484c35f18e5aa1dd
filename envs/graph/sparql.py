"""SPARQL over small graphs, with pyoxigraph; answers run in a worker process without network or files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._answers import MAX_ANSWER, reported, sparql_candidates
from .._reply import ActionResult
from .._workers import WorkerPool, WorkerStopped
from .sparql_worker import query_rows

PREFIX = "http://lifelong.example/"
"""What the empty prefix stands for; queries need not declare it."""
_INTEGER = "^^<http://www.w3.org/2001/XMLSchema#integer>"
_SHOWN_ROWS = 5

Triple = tuple[str, str, str | int]
"""Subject and predicate as local names; the object as a local name or a whole number."""
Solution = tuple[str, ...]


workers = WorkerPool(f"{__package__}.sparql_worker")
"""Where answers run."""


class QueryRefused(Exception):
    """A query that was not answered, with the reason as the agent reads it."""


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


def run_trusted(triples: Sequence[Triple], query: str) -> tuple[Solution, ...]:
    """Rows of a query that we wrote ourselves, in this process. Raises `QueryRefused`."""
    try:
        return _rows(query_rows(_terms(triples), query, PREFIX))
    except SyntaxError as problem:
        raise QueryRefused(str(problem)) from None


def run(triples: Sequence[Triple], text: str) -> tuple[Solution, ...]:
    """Rows of the query in what a model wrote: the first that pyoxigraph's parser accepts. It runs in a worker process.

    Raises `QueryRefused` when no query is found, or the one found is forbidden, fails, or goes over a limit.
    """
    if len(text) > MAX_ANSWER:
        raise QueryRefused(f"the answer has {len(text)} characters; the limit is {MAX_ANSWER}")
    candidates = sparql_candidates(text)
    request = {"triples": _terms(triples), "candidates": candidates, "reported": candidates.index(reported(candidates)), "prefix": PREFIX}
    try:
        return _rows(workers.ask(request))
    except WorkerStopped:
        raise QueryRefused("stopped, the query takes too much time or memory") from None


def judge(problem: GraphProblem, action: str) -> ActionResult:
    """Run what a model wrote and compare its rows, as a multiset, with the gold query's."""
    try:
        rows = run(problem.triples, action)
    except QueryRefused as refusal:
        return ActionResult(text=f"Error: {refusal}", error=True)
    right = Counter(rows) == Counter(run_trusted(problem.triples, problem.gold))
    return ActionResult(text=_shown(rows), reward=float(right), done=True, success=right)


def _terms(triples: Sequence[Triple]) -> list[list[str]]:
    return [[_term(term) for term in triple] for triple in triples]


def _term(value: str | int) -> str:
    return f'"{value}"{_INTEGER}' if isinstance(value, int) else f"<{PREFIX}{value}>"


def _rows(reply: dict[str, Any]) -> tuple[Solution, ...]:
    rows = reply.get("rows")
    if not isinstance(rows, list):
        raise QueryRefused(str(reply["error"]))
    return tuple(tuple(_plain(term) for term in row) for row in rows)


def _plain(term: str) -> str:
    """A term without prefix or datatype: `:Oslo` and `"3"^^xsd:integer` read `Oslo` and `3`."""
    if term.startswith("<"):
        return term.strip("<>").removeprefix(PREFIX)
    return term.split("^^")[0].strip('"')


def _shown(rows: Sequence[Solution]) -> str:
    more = len(rows) - _SHOWN_ROWS
    return "\n".join([*(", ".join(row)[:80] for row in rows[:_SHOWN_ROWS]), *([f"({more} more rows)"] if more > 0 else [])]) or "(no rows)"
