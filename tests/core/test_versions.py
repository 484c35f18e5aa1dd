from __future__ import annotations

import pytest

from lifelong.core import PluginError
from lifelong.core.plugins import check_name, resolve
from lifelong.core.versions import newest, short_name
from lifelong.envs import DatabaseEnvironment


def test_a_short_name_means_the_newest_version() -> None:
    assert newest("maze", ["maze-v1", "maze-v10", "maze-v9", "mazes-v11"]) == "maze-v10"
    assert newest("maze", ["maze", "maze-v1"]) == "maze"
    assert newest("maze-v3", ["maze-v1"]) == "maze-v3"
    assert short_name("maze-v") == "maze-v"


def test_environments_are_found_with_and_without_their_version() -> None:
    assert resolve("environments", "database") is resolve("environments", "database-v1") is DatabaseEnvironment
    check_name("environments", "graph", "--environments")
    with pytest.raises(PluginError, match="database-v2"):
        check_name("environments", "database-v2", "--environments")
