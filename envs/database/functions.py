"""SQL functions that a statement may call: an allow-list of SQLite's own.

What is left out reads the machine or the connection (`load_extension`, `changes`), draws at random (`random`), or can run for
minutes within one instruction, where no limit on instructions reaches it (`printf`, `format`).
"""

from __future__ import annotations

import sqlite3
from functools import partial

_KINDS = (
    # Aggregates.
    "avg count group_concat max min sum total",
    # Numbers.
    "abs acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod pi pow power radians "
    "round sign sin sinh sqrt tan tanh trunc",
    # Texts and bytes; one value is bounded by SQLITE_LIMIT_LENGTH.
    "char glob hex instr length like lower ltrim quote replace rtrim soundex substr substring trim unicode upper zeroblob",
    # Choosing.
    "coalesce ifnull iif likelihood likely nullif typeof unlikely",
    # Dates, of a given time (`hide_clock`).
    "date datetime julianday strftime time unixepoch",
    # Windows.
    "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number",
    # JSON.
    "-> ->> json json_array json_array_length json_extract json_group_array json_group_object json_insert json_object json_patch "
    "json_quote json_remove json_replace json_set json_type json_valid",
)

FUNCTIONS = frozenset(name for names in _KINDS for name in names.split())
"""Names in lower case."""
_DATES = ("date", "datetime", "julianday", "strftime", "time", "unixepoch")
_CLOCK = frozenset({"now", "subsec", "subsecond"})
"""First time values that read the machine's clock, as no time value does."""

CLOCK_READ = "dates and times are those of a given time; 'now' is not available, since it gives something else each time"
"""The refusal of a statement that asks for the present time."""


def hide_clock(connection: sqlite3.Connection, own: sqlite3.Connection) -> None:
    """Give a connection date functions that fail where the present time is asked for; `own` has SQLite's own, which they call."""
    for name in _DATES:
        connection.create_function(name, -1, partial(_date, own, name), deterministic=True)


def _date(own: sqlite3.Connection, name: str, *arguments: str | bytes | int | float | None) -> str | int | float | None:
    times = arguments[name == "strftime" :]
    first = times[0] if times else "now"
    text = first.decode(errors="replace") if isinstance(first, bytes) else str(first)
    if text.partition("\0")[0].lower() in _CLOCK:
        raise ValueError(CLOCK_READ)
    value: str | int | float | None = own.execute(f"SELECT {name}({', '.join('?' * len(arguments))})", arguments).fetchone()[0]
    return value
