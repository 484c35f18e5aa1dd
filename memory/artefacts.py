"""Directories that the system makes: only what carries its mark is deleted, and what no row of the record names is never trusted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .sqlite.record import Record

TRAINED = "training.json"
"""What a training writes beside its weights, as an object with `recipe` and `report`; it marks a directory as ours."""
PARTIAL = ".partial"
"""End of the name of a directory that is being written, which begins with a dot."""


def is_ours(directory: Path) -> bool:
    """Whether a directory carries our mark, or is one that a training had begun to write."""
    if not directory.is_dir() or directory.is_symlink():
        return False
    if directory.name.startswith(".") and directory.name.endswith(PARTIAL):
        return True
    try:
        report = json.loads((directory / TRAINED).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(report, dict) and {"recipe", "report"} <= report.keys()


def delete_artefact(directory: Path, root: Path) -> bool:
    """Delete a directory that lies right below `root` and carries our mark; whether it is gone now. Anything else stays as it is."""
    if not directory.exists() and not directory.is_symlink():
        return True
    if directory.resolve().parent != root.resolve() or not is_ours(directory):
        return False
    shutil.rmtree(directory)
    return True


def delete_strays(record: Record, root: Path, keep: Iterable[str] = ()) -> list[str]:
    """Delete the adapter directories that no row of the record names, but for those whose names begin as one in `keep`; returns the rest's.

    What a crash left between training and recording is never trusted: nobody knows any more whose episodes it has seen.
    """
    if not root.is_dir():
        return []
    named = {Path(adapter.path).resolve() for adapter in record.adapters.find()}
    kept = tuple(keep)
    strays = [
        path
        for path in sorted(root.iterdir())
        if path.resolve() not in named and not path.name.lstrip(".").startswith(kept or ("/",)) and is_ours(path)
    ]
    return [path.name for path in strays if delete_artefact(path, root)]
