"""Environments by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifelong.core import DataMissing, PluginError
from lifelong.envs import DatabaseEnvironment
from lifelong.envs.make import make_all, make_environment, needs_data


def test_a_short_name_an_id_and_a_class_are_the_same() -> None:
    for name in ("database", "database-v1", "lifelong.envs:DatabaseEnvironment"):
        assert type(make_environment(name)) is DatabaseEnvironment


def test_what_reads_data_says_so_and_is_left_out_of_all() -> None:
    assert needs_data("lab-db-v1")
    assert not needs_data("database-v1")
    with pytest.raises(DataMissing, match="lab-db-v1 reads a data directory; name it with --data"):
        make_environment("lab-db")
    made = make_all()
    assert {"database-v1", "graph-v1"} <= made.keys()
    assert "lab-db-v1" not in made
    assert all(id == environment.id for id, environment in made.items())


def test_a_class_that_is_no_environment_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="has no id, max_steps, max_answer_tokens, admissible"):
        make_environment("pathlib:PurePath")
    with pytest.raises(PluginError, match="must be one of database-v1"):
        make_environment("chess")
