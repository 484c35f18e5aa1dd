"""What a worker process does for an answer in SPARQL: run the first candidate that pyoxigraph's parser accepts.

A request is `{"triples": [[s, p, o], ...], "candidates": [...], "reported": index, "prefix": "..."}` with terms in N-Triples, a reply
`{"rows": [[term, ...], ...]}` or `{"error": reason}`; `reported` is the candidate whose error is given when none is a query.
"""

from __future__ import annotations

import re
from typing import Any

MAX_ROWS = 1_000
"""Rows that an answer may have."""
MAX_CHARACTERS = 1_000_000
"""Characters that all its rows together may have."""

SAMPLE = {
    "triples": [["<http://a>", "<http://b>", '"1"']],
    "candidates": ["SELECT", "SELECT (COUNT(?s) AS ?n) WHERE { ?s ?p ?o FILTER(REGEX(?o, '1')) } ORDER BY ?n"],
    "reported": 0,
    "prefix": "",
}

# The terminals of SPARQL 1.1 that matter here (section 19.8 of the W3C recommendation): what is in a comment, a string, an IRI,
# a variable or a prefixed name is no keyword. Possessive, and a string
# without end reaches to the end, so that no input is read twice.
_TERMINAL = re.compile(
    r"#[^\n\r]*+"
    r"|'''(?:[^'\\]|\\.|'{1,2}+(?!'))*+(?:''')?+"
    r'|"""(?:[^"\\]|\\.|"{1,2}+(?!"))*+(?:""")?+'
    r"|'(?:[^'\\\n\r]|\\.)*+'?+"
    r'|"(?:[^"\\\n\r]|\\.)*+"?+'
    r'|<[^<>"{}|^`\\\x00-\x20]*+>'
    r"|[?$@]\w++"
    r"|:(?:[\w.\-:%]|\\.)*+"
    r"|(?P<words>[\w.\-]++)(?P<prefixed>:(?:[\w.\-:%]|\\.)*+)?+"
    r"|.",
    re.DOTALL,
)
_OUTSIDE = frozenset({"SERVICE", "FROM"})
_CHANGING = frozenset({"RAND", "NOW", "UUID", "STRUUID"})


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The reply to a request."""
    errors: list[str] = []
    for query in request["candidates"]:
        try:
            return query_rows(request["triples"], query, request["prefix"])
        except SyntaxError as problem:
            errors.append(_one_line(problem))
    return {"error": errors[request["reported"]]}


def query_rows(triples: list[list[str]], query: str, prefix: str) -> dict[str, Any]:
    """Rows of a SELECT or ASK query over `triples`, where `:` stands for `prefix`, or what was wrong with it.

    Raises `SyntaxError` for what is no query.
    """
    import pyoxigraph

    store = pyoxigraph.Store()
    store.load("".join(f"{s} {p} {o} .\n" for s, p, o in triples).encode(), format=pyoxigraph.RdfFormat.N_TRIPLES)
    try:
        found = store.query(query, prefixes={"": prefix})
        if refusal := _refusal(query):
            return {"error": refusal}
        if isinstance(found, pyoxigraph.QueryBoolean):
            return {"rows": [[str(bool(found)).lower()]]}
        if isinstance(found, pyoxigraph.QueryTriples):
            return {"error": "only SELECT and ASK queries are answered"}
        rows: list[list[str]] = []
        size = 0
        for solution in found:
            rows.append(["" if term is None else str(term) for term in solution])
            size += sum(map(len, rows[-1]))
            if len(rows) > MAX_ROWS:
                return {"error": f"more than {MAX_ROWS} rows"}
            if size > MAX_CHARACTERS:
                return {"error": f"more than {MAX_CHARACTERS} characters"}
    except SyntaxError:
        raise
    except (ValueError, OSError, RuntimeError, MemoryError) as problem:
        return {"error": _one_line(problem)}
    return {"rows": rows}


def keywords(query: str) -> set[str]:
    """Words of a query in upper case that stand for themselves: in no comment, string, IRI, variable or prefixed name.

    >>> sorted(keywords("SELECT ?from { ?x :service 'NOW' FILTER(1 < 2) } # RAND"))
    ['1', '2', 'FILTER', 'SELECT']
    """
    runs = (match["words"] for match in _TERMINAL.finditer(query) if match["words"] and not match["prefixed"])
    return {word for run in runs for word in run.upper().replace("-", ".").split(".") if word}


def _refusal(query: str) -> str:
    """Why a query is not answered although it is one; empty where it is.

    The graph is all that a query can reach: a worker process can open no socket. This says so in words, and refuses what would
    give other rows each time.
    """
    words = keywords(query)
    if words & _OUTSIDE:
        return "only the given graph can be asked, without SERVICE or FROM"
    if changing := sorted(words & _CHANGING):
        return f"{changing[0]} is not available, since it gives something else each time"
    return ""


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())[:200]
