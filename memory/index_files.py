"""Where an index keeps its cache files, one pair a tenant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ..core.paths import delete_drafts


def cache_files(directory: Path, tenant: str) -> tuple[Path, Path]:
    """The FAISS file and its description. A tenant's name is hashed: it may hold any character."""
    name = hashlib.sha256(tenant.encode()).hexdigest()[:32]
    return directory / f"{name}.faiss", directory / f"{name}.json"


def discard(directory: Path, tenants: Iterable[str]) -> None:
    """Delete the cache files of these tenants, and what was being written."""
    for tenant in tenants:
        for path in cache_files(directory, tenant):
            path.unlink(missing_ok=True)
    delete_drafts(directory)
