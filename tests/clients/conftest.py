"""A gateway as users start it, with a scripted model behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_clients.served import Served
from real_clients.workspace import Workspace


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    opened = Served(tmp_path_factory.mktemp("served"))
    yield opened
    opened.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")
