"""What the parts of a learner share: adapters loaded once, failures counted and passed over."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from nights import AdaptedEngine
from scripted import open_scripted

from lifelong.core import Adapter, NothingFound
from lifelong.orchestrator.run_state import Fault


def test_an_adapter_is_given_to_the_engine_once_until_it_is_taken_away(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        components, counted = learner._components, Counter[str]()

        class Counting(AdaptedEngine):
            def publish(self, adapter: Adapter) -> None:
                counted[adapter.name] += 1

        components.engine = Counting()
        name = components.record.adapters.next_name()
        components.record.adapters.record(Adapter(name=name, path="/a", base="b", rank=4))
        assert [components.publish(name), components.publish(name), components.publish("")] == [name, name, ""]
        assert counted == {name: 1}
        components.retire(name)
        components.publish(name)
        assert counted == {name: 2}
        with pytest.raises(NothingFound):
            components.publish("lifelong-v9999")


def test_a_part_that_fails_costs_itself_and_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_scripted(tmp_path) as learner:
        components = learner._components
        assert components.guarded("recall", lambda: 3, 0) == 3
        for _ in range(2):
            assert components.guarded("recall", lambda: 1 // 0, 7) == 7
        assert components.faults == {"recall": 2}
        [fault] = components.record.state.find(Fault)
        assert (fault.id, fault.count, fault.error) == ("recall", 2, "ZeroDivisionError")
        assert "recall failed and was passed over" in caplog.text
        with pytest.raises(KeyboardInterrupt):
            components.guarded("recall", _interrupt, 0)


def _interrupt() -> int:
    raise KeyboardInterrupt


def test_adapters_lie_at_an_absolute_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_scripted(Path("home")) as learner:
        assert learner._components.adapters_directory == tmp_path.resolve() / "home" / "adapters"
