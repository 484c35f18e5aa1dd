"""Forgetting takes rows, lessons and weights, and what has left the budget."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import open_scripted
from secret_chats import Chats, files_with, open_echo, secret
from toy import ToyEnvironment, open_toy, run_tasks, success, unlike_the_base

from lifelong.core import MalformedTask, NothingFound, Task
from lifelong.memory import compress


@pytest.mark.slow
def test_forgetting_takes_rows_lessons_and_weights(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        run_tasks(learner, lamps)
        [night] = learner.sleep()
        gone = next(e for e in learner.record.adapters.get(night.adapter).episodes if e.endswith("-demonstration")).removesuffix(
            "-demonstration"
        )

        receipt = learner.forget(episode=gone)
        assert receipt.adapters_erased == (night.adapter,)
        assert receipt.episodes == 2
        assert not Path(learner.record.adapters.get(night.adapter).path).exists()
        assert set(receipt.probe.values()) == {0.0}
        [rebuilt] = receipt.adapters_rebuilt
        assert gone not in learner.record.adapters.get(rebuilt).episodes
        assert success(learner, lamps) == 1.0
        with pytest.raises(NothingFound):
            learner.record.episodes.get(gone)

        everything = learner.forget(tenant="default", rebuild=False)
        assert learner.record.episodes.find() == []
        assert set(everything.probe.values()) == {0.0}
        assert success(learner, lamps) == 0.0
        with pytest.raises(NothingFound, match="nothing recorded"):
            learner.forget(tenant="default")
        with pytest.raises(MalformedTask):
            learner.forget()


def test_what_has_left_the_budget_is_forgotten_by_its_id_and_the_receipt_says_what_was_not_searched(tmp_path: Path) -> None:
    chats = Chats(open_echo(tmp_path))
    word = secret(1)
    first = chats.tell("ann", word)
    chats.say("ann", "and the capital of Norway", goes_on=True)
    compress(chats.learner.record, "ann", 1)
    assert chats.learner.record.episodes.existing([first]) == 0
    assert files_with(tmp_path, word)
    with pytest.raises(NothingFound, match="tenant 'anna' has no episode"):
        chats.learner.forget(episode=first, tenant="anna")
    receipt = chats.learner.forget(episode=first)
    assert files_with(tmp_path, word) == []
    assert receipt.erasure == "approximate"
    assert any("could not be searched for" in trace for trace in receipt.traces)
    assert chats.learner.forget(tenant="ann").erasure == "exact", "where nothing is left, nothing can hold a copy"
    chats.learner.close()


def test_unknown_tasks_that_have_left_the_budget_go_with_their_tenant(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        for number in range(3):
            learner.wake(Task(id=f"{number}", goal=f"an unheard-of request {number}", tenant="ann", environment="chat"))
        compress(learner.record, "ann", 0)
        assert len(learner.record.compressed.find(tenant="ann")) == 3
        assert learner.forget(tenant="ann").erasure == "exact"
        assert files_with(tmp_path, "unheard-of") == []
        assert learner.record.compressed.find() == []
