from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from lifelong import memory
from lifelong.checks.cue_memory import check_memory
from lifelong.memory import Record

MEMBERS = [
    member
    for name in memory.__all__
    if inspect.isclass(member := getattr(memory, name)) and callable(getattr(member, "erase", None)) and hasattr(member, "close")
]


def test_the_record_is_found() -> None:
    assert Record in MEMBERS


@pytest.mark.parametrize("member", MEMBERS)
def test_every_record_keeps_the_laws(member: type[Record], tmp_path: Path) -> None:
    check_memory(member, tmp_path)


def test_the_check_notices_a_record_that_forgets(tmp_path: Path) -> None:
    def forgetful(path: Path) -> Record:
        record = Record(path)
        record.erase([episode.id for episode in record.episodes.find(tenant="ann")])
        return record

    with pytest.raises(AssertionError, match="after opening again"):
        check_memory(forgetful, tmp_path)
