from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lifelong.checks import check_store
from lifelong.core import Episode, Step, Usage
from lifelong.core.plugins import create, names, resolve
from lifelong.memory import Record
from lifelong.memory.sqlite.adapters import AdapterStore
from lifelong.memory.sqlite.episodes import EpisodeStore
from lifelong.memory.sqlite.open_runs import OpenRunStore
from lifelong.memory.sqlite.state import StateStore
from lifelong.memory.sqlite.turns.store import TurnStore
from lifelong.memory.store import State
from lifelong.memory.turns.turn import IndexedTurn


def test_the_record_is_found() -> None:
    assert resolve("stores", "sqlite") is Record


@pytest.mark.parametrize("name", names("stores"))
def test_every_store_keeps_the_rules(name: str, tmp_path: Path) -> None:
    check_store(lambda path: create("stores", name, path=path), tmp_path)


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


class PrefixStates(StateStore):
    def delete(self, kind: type[State], *, tenant: str = "", skill: str = "", id: str = "") -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM run_state WHERE tenant LIKE ?", (f"{tenant}%",))


class Prefixed(Record):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.state = PrefixStates(self._database)


class Promising(Record):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        for pending in self.erasures.find():
            self.erasures.delete(pending.id)


class Routed(AdapterStore):
    def erase(self, connection: object, adapter: object) -> None:
        pass


class Serving(Record):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.adapters = Routed(self._database, path.parent)


class Dropping(OpenRunStore):
    def append(self, id: str, steps: Sequence[Step], usage: Usage | None = None) -> int:
        return len(self.get(id).steps) + len(steps)


class Undurable(Record):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.open_runs = Dropping(self._database)


class SharedTurns(TurnStore):
    def get(self, tenant: str, numbers: Iterable[int]) -> list[IndexedTurn]:
        return super().get("ann", numbers)


class Overheard(Record):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.turns = SharedTurns(self._database)


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (Prefixed, "touches anna's"),
        (Promising, "promised erasure"),
        (Serving, "erased adapter is marked"),
        (Forgetful, "after opening again"),
        (Mixed, "another tenant"),
        (HalfDone, "all, or nothing"),
        (Unnoticed, "notice an erasure"),
        (Undurable, "every step of a run under way"),
        (Overheard, "no turn of another"),
    ],
)
def test_the_check_notices_a_store_that_breaks_a_rule(broken: type[Record], rule: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_store(broken, tmp_path)
