"""Which episodes hold a text: the slow way, for what an audit has found in the file."""

from __future__ import annotations

import json
import unicodedata

from ...core import Episode
from .database import Database
from .episodes import read_episode

MOST = 200
"""Episodes returned; a text that more of them hold is nobody's own."""


def find_text(database: Database, text: str) -> list[Episode]:
    """At most `MOST` episodes, oldest first, whose id or stored form holds the text: as it is, as JSON writes it, composed, decomposed."""
    forms = _forms(text)
    sql = f"SELECT body FROM episodes WHERE {_holds(forms, 'body', 'id')} ORDER BY sequence LIMIT {MOST}"
    return [read_episode(body) for (body,) in database.rows(sql, forms)]


def runs_with_text(database: Database, text: str) -> list[str]:
    """Ids of at most `MOST` open runs whose id, head or steps hold the text, sorted."""
    forms = _forms(text)
    sql = (
        f"SELECT id FROM open_runs WHERE {_holds(forms, 'body', 'id')} UNION SELECT run FROM run_steps WHERE {_holds(forms, 'body')} "
        f"ORDER BY 1 LIMIT {MOST}"
    )
    return [id for (id,) in database.rows(sql, forms)]


def _forms(text: str) -> list[str]:
    written = {form for kind in ("NFC", "NFD") for form in (unicodedata.normalize(kind, text), text)}
    return sorted(written | {json.dumps(form, ensure_ascii=False)[1:-1] for form in written})


def _holds(forms: list[str], *columns: str) -> str:
    return " OR ".join(f"instr({column}, ?{number})" for number in range(1, len(forms) + 1) for column in columns)
