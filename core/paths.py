"""Paths as callers give them, and drafts: files that are being written and appear whole or not at all."""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

AnyPath = str | os.PathLike[str]
"""What every public function takes where it says that it takes a path."""
_DRAFT = re.compile(r"\..+\.\d+\.\d+\.draft", re.DOTALL)


def draft_path(file: AnyPath) -> Path:
    """Where this thread writes what is then renamed to `file`. A process that is killed leaves it; its name says that it is a draft."""
    file = Path(file)
    return file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}.draft")


def delete_drafts(folder: AnyPath, *, older_than: float = 0.0) -> list[str]:
    """Delete the drafts in a folder, of so many seconds' age at least; returns their names.

    Whoever is still writing one fails to rename it, and writes another the next time.
    """
    folder, deleted = Path(folder), list[str]()
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            if _DRAFT.fullmatch(file.name) and file.is_file() and file.stat().st_mtime <= time.time() - older_than:
                file.unlink()
                deleted.append(file.name)
        except OSError:
            # Renamed or deleted meanwhile, or held open on Windows by who will delete it.
            continue
    return deleted
