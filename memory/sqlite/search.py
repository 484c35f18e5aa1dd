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
    written = {form for kind in ("NFC", "NFD") for form in (unicodedata.normalize(kind, text), text)}
    forms = sorted(written | {json.dumps(form, ensure_ascii=False)[1:-1] for form in written})
    condition = " OR ".join(f"instr(body, ?{n}) OR instr(id, ?{n})" for n in range(1, len(forms) + 1))
    sql = f"SELECT body FROM episodes WHERE {condition} ORDER BY sequence LIMIT {MOST}"
    return [read_episode(body) for (body,) in database.rows(sql, forms)]
