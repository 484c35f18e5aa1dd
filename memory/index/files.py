"""How the cache files of an index are written and read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from ...core import StoreError
from ...core.paths import draft_path
from ..index_files import cache_files
from ..sqlite.changes import Position
from .partition import Partition

FORMAT = 2
"""Of the description; another one is not read."""
BLOCK = 1 << 22
"""Bytes hashed at a time."""


def write(directory: Path, tenant: str, partition: Partition, seal: str) -> None:
    """Write a partition by atomic rename; `seal` names the rows of the record that it was made of. Raises `StoreError`."""
    import faiss

    data, description = cache_files(directory, tenant)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = draft_path(data)
        draft.touch(mode=0o600)
        faiss.write_index(partition.index, str(draft))
        about = {
            "format": FORMAT,
            "seal": seal,
            "position": partition.position,
            "trained": partition.trained.tolist(),
            "cells_for": partition.cells_for,
        }
        body = json.dumps({**about, "sha256": _digest(draft, about)})
        draft.replace(data)
        draft = draft_path(description)
        draft.touch(mode=0o600)
        draft.write_text(body, encoding="utf-8")
        draft.replace(description)
    except (OSError, RuntimeError) as error:
        raise StoreError(f"the index could not be saved in {directory} ({error}); it is a cache, nothing is lost") from error


def read_position(directory: Path, tenant: str) -> Position | None:
    """How far the record had been read when the files were written; None where there are none of this format.

    Raises what `json` and a missing key raise for a damaged description.
    """
    _, description = cache_files(directory, tenant)
    if not description.is_file():
        return None
    about = json.loads(description.read_bytes())
    return Position(*about["position"]) if about.get("format") == FORMAT else None


def read(directory: Path, tenant: str, seal: str) -> Partition:
    """The partition as it was written. Raises `ValueError` for files that are damaged or of other rows, and what FAISS raises."""
    import faiss

    data, description = cache_files(directory, tenant)
    about = json.loads(description.read_bytes())
    digest = about.pop("sha256")
    if about["seal"] != seal or digest != _digest(data, about):
        raise ValueError("the file is not the one described")
    partition = Partition(
        faiss.read_index(str(data)), trained=np.array(about["trained"], dtype=np.int64), cells_for=int(about["cells_for"])
    )
    partition.position = Position(*about["position"])
    return partition


def _digest(data: Path, about: dict[str, object]) -> str:
    digest = hashlib.sha256(json.dumps(about).encode())
    with data.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
