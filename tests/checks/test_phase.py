"""Every phase of sleep keeps the contract, and a broken one is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nights import corrected_chats, open_fake

from lifelong.checks import check_phase
from lifelong.core import Lesson
from lifelong.orchestrator import PHASES, LifelongLearner
from lifelong.orchestrator.phases import NightContext, Scope, Work
from lifelong.orchestrator.run_state import PendingSleep


def state_of(learner: LifelongLearner) -> Any:
    database = learner.record._database
    tables = [name for (name,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    rows = {table: sorted(map(repr, database.rows(f'SELECT * FROM "{table}"'))) for table in tables}
    files = sorted(str(path) for path in (learner.settings.home / "adapters").rglob("*"))
    return rows, files


def beginning(learner: LifelongLearner) -> tuple[NightContext, Work]:
    learner._components.adapters_directory.mkdir(parents=True, exist_ok=True)
    corrected_chats(learner, 12)
    # The thread that indexes what was said writes too, whenever it comes to it.
    learner._components.turns.close()
    name = learner.record.adapters.next_name()
    learner.record.state.put(PendingSleep(tenant="default", skill="chat", number=1, adapter=name, started=0.0))
    night = NightContext(components=learner._components, environments={}, tenant="default")
    return night, Work(skill="chat", adapter=name)


def test_every_phase_keeps_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        night, work = beginning(learner)
        done = []
        for phase in PHASES:
            before = work

            def prepare(before: Work = before) -> tuple[NightContext, Work]:
                return night, before

            check_phase(phase, prepare, lambda: state_of(learner))
            if phase.due(night, before):
                work = phase.run(night, before)
                done.append(phase.name)
        assert {"discover", "reflect", "consolidate", "gate", "publish", "refit"} <= set(done)
        assert work.state == "published"


class Repeating:
    """Writes another lesson each time it runs."""

    name = "repeating"
    scope = Scope.SKILL

    def due(self, night: NightContext, work: Work) -> bool:
        return True

    def run(self, night: NightContext, work: Work) -> Work:
        store, episode = night.components.record.lessons, night.components.record.episodes.find(tenant="default")[0].id
        number = len(store.find(tenant="default"))
        store.record(Lesson(id=f"lesson-{number}", tenant="default", skill="chat", text=f"lesson {number}", episodes=(episode,)))
        return replace(work, lessons=1)


class Curious(Repeating):
    """Does its work when it is asked whether there is any."""

    name = "curious"

    def due(self, night: NightContext, work: Work) -> bool:
        self.run(night, work)
        return True


class Nameless(Repeating):
    name = ""


class Elsewhere(Repeating):
    name = "elsewhere"
    scope = "moon"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("broken", "rule"),
    [(Repeating, "changes nothing"), (Curious, "due changes nothing"), (Nameless, "a word"), (Elsewhere, "must be one of")],
)
def test_a_broken_phase_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: type[Repeating], rule: str) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        prepared = beginning(learner)
        with pytest.raises(AssertionError, match=rule):
            check_phase(broken(), lambda: prepared, lambda: state_of(learner))
