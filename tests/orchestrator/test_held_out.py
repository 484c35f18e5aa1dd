"""Held-out tasks."""

from __future__ import annotations

from pathlib import Path

import pytest
from nights import open_fake
from toy import ToyEnvironment

from lifelong.orchestrator.held_out import COMPARED, beginning, choose, is_held_out


def test_held_out_tasks_include_what_the_live_policy_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lamps = ToyEnvironment("lamps")
    with open_fake(tmp_path, monkeypatch, **{"sleep.held_out": 0.4}) as learner:
        learner.environments[lamps.id] = lamps
        episodes = learner.wake_many(lamps.tasks("train", 40), lamps, ids=[str(number) for number in range(40)])
        assert not any(episode.outcome.success for episode in episodes)
        chosen = choose(learner._components, learner.environments, "default", episodes[0].skill)
        assert {e.task.id for e in chosen} == {e.task.id for e in episodes if is_held_out(e, 0, 0.4)}
        assert len(chosen) >= 8
        # Without its environment nobody can tell how another policy does on them.
        assert choose(learner._components, {}, "default", episodes[0].skill) == []


@pytest.mark.parametrize("tokens_of_a_character", [0.25, 1, 4])
@pytest.mark.parametrize("length", [0, 1, 63, 1025, 100_000])
def test_only_the_beginning_of_an_answer_is_compared(length: int, tokens_of_a_character: float) -> None:
    text = "".join(chr(97 + number % 26) for number in range(length))

    def count(part: str) -> int:
        return int(len(part) * tokens_of_a_character)

    kept = beginning(text, count)
    assert text.startswith(kept)
    assert count(kept) <= COMPARED
    assert kept == text or count(kept) > COMPARED / 2
