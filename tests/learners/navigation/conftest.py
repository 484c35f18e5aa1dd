"""What tests of a navigator share."""

from __future__ import annotations

import pytest

from lifelong.core import PackageMissing
from lifelong.envs.navigation.rooms_3d import NoRenderer, RoomsWorld, make_layout, take_picture


@pytest.fixture(scope="session")
def renderer() -> None:
    """Skips a test, with the reason, where no picture can be drawn."""
    try:
        take_picture(RoomsWorld(make_layout(0)))
    except (NoRenderer, PackageMissing) as problem:
        pytest.skip(str(problem))
