from __future__ import annotations

from pathlib import Path

import pytest
from scripted import open_scripted

from lifelong.core import NothingFound
from lifelong.memory import Record
from lifelong.orchestrator.held import describe
from lifelong.orchestrator.turn_memory import TurnMemory
from lifelong.perception import HashedEncoder
from tests.memory.sqlite.turns.test_store import said


def test_one_thing_is_described_with_its_moments_and_what_stood_beside_it(tmp_path: Path) -> None:
    with Record(tmp_path / "record.sqlite3") as record:
        said(record, "The garden has roses.", id="a", answer="Roses need much sun.", created=10.0)
        said(record, "The garden has roses.", id="b", session="other", created=30.0)
        TurnMemory(record, HashedEncoder()).finish()
        held = describe(record, "default", 1)
        assert (held.memory.text, held.memory.episode, held.said) == ("The garden has roses.", "a", (10.0, 30.0))
        assert (held.before, held.after) == ("", "Roses need much sun.")
        assert (held.pinned, held.profile, held.shown) == (False, False, 0)
        again = describe(record, "default", 3)
        assert (again.memory.episode, again.said, again.after) == ("b", (10.0, 30.0), "")
        for tenant, number in (("default", 99), ("somebody", 1)):
            with pytest.raises(NothingFound, match="memory list"):
                describe(record, tenant, number)


def test_a_learner_describes_and_pins(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        said(learner.record, "The garden has roses.", id="a")
        learner._components.turns.finish()
        assert learner.pin_memory(1).pinned
        assert [line.text for line in learner.profile()] == ["The garden has roses."]
        assert learner.memory(1).profile
        assert not learner.pin_memory(1, False).pinned
        assert learner.profile() == []
