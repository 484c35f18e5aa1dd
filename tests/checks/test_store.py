from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lifelong import memory
from lifelong.checks import check_store
from lifelong.core import Episode
from lifelong.memory import Record
from lifelong.memory.sqlite.episodes import EpisodeStore

MEMBERS = [
    member
    for name in memory.__all__
    if inspect.isclass(member := getattr(memory, name)) and callable(getattr(member, "erase", None)) and hasattr(member, "transaction")
]


def test_the_record_is_found() -> None:
    assert Record in MEMBERS


@pytest.mark.parametrize("member", [member for member in MEMBERS if member is not memory.Store])
def test_every_store_keeps_the_rules(member: type[Record], tmp_path: Path) -> None:
    check_store(member, tmp_path)


class Forgetful(Record):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.erase(self.episodes.ids(tenant="ann"))


class Leaky(EpisodeStore):
    def get_many(self, ids: object, **conditions: object) -> list[Episode]:  # type: ignore[override]
        return [episode for episode in self.find() if episode.id in ids]  # type: ignore[operator]


class Mixed(Record):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.episodes = Leaky(self._database)


class HalfDone(Record):
    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield


class Unnoticed(Record):
    def generation(self, tenant: str) -> int:
        return 0


@pytest.mark.parametrize(
    ("broken", "rule"),
    [(Forgetful, "after opening again"), (Mixed, "another tenant"), (HalfDone, "all, or nothing"), (Unnoticed, "notice an erasure")],
)
def test_the_check_notices_a_store_that_breaks_a_rule(broken: type[Record], rule: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_store(broken, tmp_path)
