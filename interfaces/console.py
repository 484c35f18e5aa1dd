"""The terminal: what commands print, and how an error becomes one clear line."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from typing import TextIO

from ..core import one_line, printable, redact

DEBUG = "LIFELONG_DEBUG"
"""Variable that, set to 1, shows the traceback of an error that nobody expected."""


def prepare_console() -> None:
    """Make output safe on any terminal: a character that it cannot show is written as an escape instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(text: str, *, err: bool = False) -> None:
    """Print text of any origin: what a terminal would obey instead of showing is written as an escape; line feeds stay."""
    stream: TextIO = sys.stderr if err else sys.stdout
    print(printable(text, keep="\n\t"), file=stream, flush=True)


def complain(text: str) -> None:
    """Print one line on standard error, under the command's name and without credentials."""
    say(f"lifelong: {one_line(redact(text), 2000)}", err=True)


def explain_os_error(error: OSError) -> str:
    """What the operating system refused, and where."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}; choose a place that can be read and written" if error.filename else reason


def keep_traceback(error: BaseException) -> str:
    """Write the traceback to a file that only this user can read; returns its path, empty where none can be written."""
    try:
        handle, path = tempfile.mkstemp(prefix="lifelong-error-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{datetime.now(UTC).isoformat()} {' '.join(sys.argv[:2])}\n")
            file.write(redact("".join(traceback.format_exception(error))))
    except OSError:
        return ""
    return path


def report_unexpected(error: Exception) -> None:
    """One line for an error that nobody raised on purpose, and where its traceback is kept."""
    if os.environ.get(DEBUG) == "1":
        say(redact("".join(traceback.format_exception(error))), err=True)
    path = keep_traceback(error)
    kept = f"; the traceback is in {path}" if path else ""
    complain(f"this should not have happened ({type(error).__name__}: {one_line(str(error), 300)}){kept}; {DEBUG}=1 shows it here")
