"""Directories that the system makes: each carries a mark and the hash of what it was made from, and only such are trusted or deleted."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..core import NothingFound

if TYPE_CHECKING:
    from .sqlite.record import Record

MANIFEST = "provenance.json"
"""File in an artefact's directory that names the hash of what it was made from."""
MARK = "lifelong artefact"
"""What the manifest says first; a directory without it is somebody else's."""
TRAINED = "training.json"
"""What a training writes beside its weights; it marks the adapters of older versions."""


def made_from(record: Record, tenant: str, episodes: Iterable[str], lessons: Iterable[str] = ()) -> str:
    """Hash of a tenant, of these episodes as they are now and of these lessons: it changes when one is erased or loses a copy.

    Raises `NothingFound` when one of them is not in the record.
    """
    digest = hashlib.sha256(json.dumps(["tenant", tenant]).encode())
    ids, wanted = sorted(set(episodes)), sorted(set(lessons))
    found = {episode.id: episode for episode in record.episodes.among(ids, tenant=tenant)}
    if missing := [id for id in ids if id not in found]:
        raise NothingFound(f"episode {missing[0]!r} is not in the record; was it erased meanwhile?")
    for id in ids:
        episode = found[id]
        told = [id, episode.task.text, [[type(step).__name__, step.text] for step in episode.steps], episode.correction]
        digest.update(json.dumps(told).encode())
    for id in wanted:
        lesson = record.lessons.get(id)
        digest.update(json.dumps(["lesson", id, lesson.tenant == tenant, lesson.text]).encode())
    return digest.hexdigest()


def write_manifest(directory: Path, made: str) -> None:
    """Mark a directory as ours, and say what it was made from."""
    draft = directory / f".{MANIFEST}.draft"
    draft.write_text(json.dumps({"mark": MARK, "made_from": made}))
    draft.replace(directory / MANIFEST)


def read_manifest(directory: Path) -> str | None:
    """The hash of what a directory was made from; None where it does not say."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text())
        return str(manifest["made_from"]) if manifest["mark"] == MARK else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_ours(directory: Path) -> bool:
    """Whether a directory carries our mark."""
    return directory.is_dir() and not directory.is_symlink() and (read_manifest(directory) is not None or (directory / TRAINED).is_file())


def delete_artefact(directory: Path, root: Path) -> bool:
    """Delete a directory below `root` that carries our mark; whether it is gone now. Anything else stays as it is."""
    if not directory.exists() and not directory.is_symlink():
        return True
    inside = directory.resolve().parent == root.resolve()
    if not inside or not is_ours(directory):
        return False
    shutil.rmtree(directory)
    return True


def delete_strays(record: Record, root: Path, keep: Iterable[str] = ()) -> list[str]:
    """Delete the adapter directories that no row of the record names, but for those in `keep`; returns their names, sorted.

    What a crash left between training and recording is never trusted: nobody knows whose episodes it has seen.
    """
    if not root.is_dir():
        return []
    named = {Path(adapter.path).resolve() for adapter in record.adapters.find()}
    kept = set(keep)
    strays = [path for path in sorted(root.iterdir()) if path.name not in kept and path.resolve() not in named and is_ours(path)]
    return [path.name for path in strays if delete_artefact(path, root)]
