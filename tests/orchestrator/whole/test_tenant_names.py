"""Through Python too, one name is one tenant, and a name that cannot be seen is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running_gateway import EchoEngine, RunningGateway

from lifelong.core import MalformedTask, Task
from lifelong.orchestrator import LifelongLearner


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[LifelongLearner]:
    gateway = RunningGateway(tmp_path, EchoEngine())
    yield gateway.learner
    gateway.close()


def test_one_name_is_one_tenant(learner: LifelongLearner) -> None:
    episode = learner.wake(Task(id="t", goal="hello", tenant="Zoe\u0308"))
    assert learner.feedback(episode.id, tenant="Zoë", success=True).outcome.success is True
    assert learner.feedback(episode.id, tenant="Zoe\u0308", success=False).outcome.success is False
    assert learner.status("Zoe\u0308").episodes == 1
    assert learner.forget(tenant="Zoe\u0308").episodes == 1
    assert learner.status("Zoë").episodes == 0


@pytest.mark.parametrize(
    "verb",
    [
        lambda learner, name: learner.wake(Task(id="t", goal="hello", tenant=name)),
        lambda learner, name: learner.feedback("e", tenant=name, success=True),
        lambda learner, name: learner.sleep(tenant=name),
        lambda learner, name: learner.start_sleep(tenant=name),
        lambda learner, name: learner.night("n", tenant=name),
        lambda learner, name: learner.forget(tenant=name),
        lambda learner, name: learner.rollback(tenant=name),
        lambda learner, name: learner.models(name),
        lambda learner, name: learner.status(name),
    ],
)
def test_no_verb_takes_a_name_that_is_none(learner: LifelongLearner, verb: Callable[..., object]) -> None:
    for name in (" ", "\u200b", "ann\ud800", "x" * 257):
        with pytest.raises(MalformedTask, match="tenant"):
            verb(learner, name)
