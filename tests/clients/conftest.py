"""A gateway as users start it, with a scripted model behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_clients.served import Served
from real_clients.workspace import Workspace


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    opened = Served(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")
