"""What a worker process does for an answer in SQL: run the first candidate that SQLite's parser accepts.

A request is `{"tables": [{"name", "columns", "rows"}], "candidates": [...], "reported": index}`, a reply
`{"rows", "wrote", "state"}` or `{"error": reason}`; `reported` is the candidate whose error is given when none is a statement.
"""

from __future__ import annotations

from typing import Any

from .sqlite import StatementRefused, Table, execute, rows_from_json, rows_to_json

SAMPLE = {
    "tables": [{"name": "t", "columns": [["a", "TEXT"]], "rows": [["é"]]}],
    "candidates": ["SELECT", "SELECT upper(a), date('2000-01-01', 'localtime') FROM t ORDER BY a"],
    "reported": 0,
}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The reply to a request."""
    tables = [
        Table(name=table["name"], columns=tuple(map(tuple, table["columns"])), rows=rows_from_json(table["rows"]))
        for table in request["tables"]
    ]
    refusals: list[str] = []
    for statement in request["candidates"]:
        try:
            result = execute(tables, statement)
        except StatementRefused as refusal:
            if not refusal.unreadable:
                return {"error": str(refusal)}
            refusals.append(str(refusal))
            continue
        state = {name: rows_to_json(rows) for name, rows in result.state.items()}
        return {"rows": rows_to_json(result.rows), "wrote": result.wrote, "state": state}
    return {"error": refusals[request["reported"]]}
