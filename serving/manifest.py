"""Recorded hashes of a directory's files, and whether the files are still those: for models and for adapters."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
"""Beside the files: size and SHA-256 of each, and where they came from."""
STAMP = ".verified.json"
"""Beside the manifest: what the files looked like to the file system when their hashes were last compared."""


def write_manifest(directory: Path, about: Mapping[str, Any]) -> None:
    """Record size and SHA-256 of every file under `directory`, together with what `about` says."""
    files = {
        path.relative_to(directory).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name not in (MANIFEST, STAMP)
    }
    (directory / MANIFEST).write_text(json.dumps({**about, "files": files}, indent=1) + "\n", encoding="utf-8")


def read_manifest(directory: Path, keys: Collection[str] = ()) -> dict[str, Any]:
    """The manifest of a directory. Raises `ValueError` when it is no manifest or lacks one of `keys`, `OSError` when it cannot be read."""
    manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ValueError("it lists no files")
    if missing := [key for key in keys if key not in manifest]:
        raise ValueError(f"it has no {missing[0]!r}")
    for name, entry in manifest["files"].items():
        if not isinstance(entry, dict) or not {"bytes", "sha256"} <= entry.keys() or ".." in Path(name).parts or Path(name).is_absolute():
            raise ValueError(f"its entry {name!r} is damaged")
    return manifest


def changed_file(directory: Path, files: Mapping[str, Any], *, hashes: bool) -> str:
    """What differs from the recorded `files`, such as `a.json is missing`; empty when nothing does. Sizes always, SHA-256 on request."""
    for name, entry in files.items():
        file = directory / name
        found = file.stat().st_size if file.is_file() else None
        if found is None:
            return f"{name} is missing"
        if found != entry["bytes"]:
            return f"{name} has {found} bytes instead of {entry['bytes']}"
        if hashes and sha256_of(file) != entry["sha256"]:
            return f"{name} has the right size and the wrong SHA-256"
    return ""


def is_stamped(directory: Path, files: Mapping[str, Any]) -> bool:
    """Whether the files look as they did when their hashes were last compared, so that they need not be read again."""
    try:
        return bool(json.loads((directory / STAMP).read_text(encoding="utf-8")) == _looks(directory, files))
    except (OSError, ValueError):
        return False


def write_stamp(directory: Path, files: Mapping[str, Any]) -> None:
    """Note how verified files look. A directory that cannot be written to stays without, and is hashed at every start."""
    draft = directory / f"{STAMP}.{os.getpid()}"
    with suppress(OSError):
        draft.write_text(json.dumps(_looks(directory, files)), encoding="utf-8")
        os.replace(draft, directory / STAMP)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _looks(directory: Path, files: Mapping[str, Any]) -> dict[str, list[int]]:
    # The time of change besides that of modification: a copy that keeps the latter still sets the former.
    stats = {name: (directory / name).stat() for name in (MANIFEST, *files)}
    return {name: [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns] for name, stat in stats.items()}
