"""Answers of a model with and without memory, judged by hand-made ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scripted import ScriptedEngine

from lifelong.core import SettingsError
from lifelong.evals.bench import find_suite
from lifelong.evals.data.dialogues import own_dialogues
from lifelong.evals.suites.recall import answers
from lifelong.evals.suites.recall.asked import Case, cases
from lifelong.evals.suites.recall.suite import _row
from lifelong.perception import HashedEncoder
from lifelong.serving.engine import context_of


@pytest.mark.parametrize(
    ("said", "right", "exact", "f1"),
    [
        ("The Red Door.", "red door", 1, 1.0),
        ("on the red door", "red door", 0, 0.8),
        ("blue", "red door", 0, 0.0),
        ("", "red door", 0, 0.0),
        ("the", "a", 1, 1.0),
        ("red red", "red door", 0, 0.5),
    ],
)
def test_answers_by_hand(said: str, right: str, exact: float, f1: float) -> None:
    assert answers.exact_match(said, right) == exact
    assert answers.token_f1(said, right) == pytest.approx(f1)


def test_what_fits_is_the_newest_and_leaves_room_for_the_answer() -> None:
    engine = ScriptedEngine(lambda request: "")
    lines = [f"turn {number} of this conversation" for number in range(5000)]
    kept = answers.fitting(lines, "what was said?", engine)
    assert kept[:3] == [4999, 4998, 4997]
    assert 0 < len(kept) < 5000
    prompt = answers.prompt_of([lines[number] for number in sorted(kept)], "what was said?")
    assert engine.count_tokens(prompt) + answers.WRITTEN <= context_of(engine)


def test_every_arm_answers_the_same_questions() -> None:
    dialogue = own_dialogues()[0]
    mine = [replace(one, asked=replace(one.asked, answer="Bern")) for one in cases(dialogue, HashedEncoder())]
    engine = ScriptedEngine(lambda request: "Bern")

    def ours(one: Case) -> list[int]:
        return sorted(one.asked.evidence)

    rows = answers.answer_rows([dialogue], [mine], HashedEncoder(), engine, ours, _row)
    asked = [str(request.messages[-1]["content"]) for request in engine.requests]
    count = len(answers.drawn(mine))
    shown = {row.method: row.value for row in rows if row.metric == "tokens_shown"}
    assert len(asked) == 4 * count > 0
    assert {row.value for row in rows if row.metric == "exact_match_rate"} == {1.0}
    assert list(shown) == ["no_memory", "everything_that_fits", "reciprocal_rank_fusion", "lifelong"]
    assert shown["no_memory"] < shown["lifelong"] < shown["everything_that_fits"]
    for place, one in enumerate(answers.drawn(mine)):
        of_ours = asked[4 * place + 3]
        assert all(dialogue.turns[turn].text in of_ours for turn in one.asked.evidence)
        assert one.asked.text in of_ours


def test_a_suite_that_asks_no_model_refuses_its_url() -> None:
    with pytest.raises(SettingsError, match="--model-url"):
        find_suite("scoring").run(quick=True, seeds=1, data=None, model_url="http://localhost:1")
