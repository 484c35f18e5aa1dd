"""A process of its own for one SPARQL query, so that a query without end can be ended.

Reads `{"triples": [[s, p, o], ...], "query": "...", "prefix": "..."}` in JSON from standard input, terms in N-Triples, and
writes `{"rows": [[term, ...], ...]}` or `{"error": "..."}`. Imports nothing of the package: it starts fast.
"""

from __future__ import annotations

import json
import resource
import sys

CPU_SECONDS = 3
MEMORY_BYTES = 2 * 1024**3
MAX_ROWS = 1_000


def answer(triples: list[list[str]], query: str, prefix: str) -> dict[str, object]:
    """Rows of a SELECT or ASK query over `triples`, where `:` stands for `prefix`, or what was wrong with it."""
    import pyoxigraph

    store = pyoxigraph.Store()
    store.load("".join(f"{s} {p} {o} .\n" for s, p, o in triples).encode(), format=pyoxigraph.RdfFormat.N_TRIPLES)
    try:
        found = store.query(query, prefixes={"": prefix})
        if isinstance(found, pyoxigraph.QueryBoolean):
            return {"rows": [[str(bool(found)).lower()]]}
        if isinstance(found, pyoxigraph.QueryTriples):
            return {"error": "only SELECT and ASK queries are answered"}
        rows: list[list[str]] = []
        for solution in found:
            rows.append(["" if term is None else str(term) for term in solution])
            if len(rows) > MAX_ROWS:
                return {"error": f"more than {MAX_ROWS} rows"}
    except (SyntaxError, ValueError, OSError, RuntimeError) as problem:
        return {"error": " ".join(str(problem).split())[:200]}
    return {"rows": rows}


def main() -> None:
    """Answer the one request on standard input, within the limits above."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    request = json.load(sys.stdin)
    json.dump(answer(request["triples"], request["query"], request["prefix"]), sys.stdout)


if __name__ == "__main__":
    main()
