"""Finding the statement in what a model wrote: code fences, labels and trailing prose come off."""

from __future__ import annotations

import re

_FENCE = re.compile(r"```[a-zA-Z]*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_LABEL = re.compile(r"\A\s*(?:sql|sparql|answer|query|statement|final answer)\s*:\s*", re.IGNORECASE)
_SQL_START = re.compile(r"^\s*(?=(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|VALUES)\b)", re.IGNORECASE | re.MULTILINE)
_SPARQL_START = re.compile(r"^\s*(?=(?:SELECT|ASK|PREFIX|BASE|CONSTRUCT|DESCRIBE)\b)", re.IGNORECASE | re.MULTILINE)
_QUOTED_OR_END = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|(;)")


def sql_statement(text: str) -> str:
    """The one SQL statement in `text`, without its final semicolon.

    The first code fence wins over the text around it; otherwise the statement begins at the first line
    that starts with a SQL keyword. It ends at the first semicolon outside quotes, or at a blank line.
    Text without any statement comes back stripped, so that the engine can say what is wrong with it.
    """
    body = _body(text, _SQL_START)
    for match in _QUOTED_OR_END.finditer(body):
        if match[1]:
            return body[: match.start()].strip()
    return _first_paragraph(body)


def sparql_query(text: str) -> str:
    """The one SPARQL query in `text`, found as `sql_statement` finds SQL; semicolons belong to SPARQL and stay."""
    return _first_paragraph(_body(text, _SPARQL_START))


def _body(text: str, start: re.Pattern[str]) -> str:
    fence = _FENCE.search(text)
    body = _LABEL.sub("", fence[1] if fence else text)
    match = start.search(body)
    return body[match.end() :] if match else body


def _first_paragraph(body: str) -> str:
    return re.split(r"\n\s*\n", body.strip(), maxsplit=1)[0].strip()
