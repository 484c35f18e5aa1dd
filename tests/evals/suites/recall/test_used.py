from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from lifelong.evals.data.dialogues import Dialogue, own_dialogues
from lifelong.evals.results_file import Row
from lifelong.evals.suites.recall import used
from lifelong.evals.suites.recall.asked import Case, cases
from lifelong.evals.suites.recall.used import noisy, use_rows, used_question
from lifelong.numerics.arrays import Floats
from lifelong.perception import HashedEncoder


@pytest.fixture(scope="module")
def asked() -> tuple[list[Dialogue], list[list[Case]]]:
    dialogues = own_dialogues()[:3]
    return dialogues, [cases(one, HashedEncoder()) for one in dialogues]


def row(case: str, method: str, metric: str, values: Sequence[float] | Floats) -> Row:
    return Row(case=case, method=method, metric=metric, value=float(np.mean(values)), n=len(values))


def test_what_an_answer_holds_says_what_was_used(asked: tuple[list[Dialogue], list[list[Case]]]) -> None:
    [dialogue, *_], [mine, *_] = asked
    one = next(case for case in mine if case.needed.any())
    assert used_question(dialogue, one).used.tolist() == one.needed.tolist(), "the evidence, where no answer is given"
    turn = dialogue.turns[one.turns[int(np.argmax(one.needed))]]
    answered = replace(one, asked=replace(one.asked, answer=turn.text))
    assert used_question(dialogue, answered).used[int(np.argmax(one.needed))] == 1.0
    assert noisy(used_question(dialogue, one), 1).used.sum() == one.needed.sum()


def test_every_conversation_is_asked_with_what_the_others_taught(
    asked: tuple[list[Dialogue], list[list[Case]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(used, "QUESTIONS", (20, 10**6))
    dialogues, found = asked
    rows = {(one.method, one.metric): one for one in use_rows(dialogues, found, "case", row)}
    questions = sum(bool(one.asked.evidence) for mine in found for one in mine)
    # So many were never asked: there is no row of what they teach.
    assert {method for method, _ in rows} == {"lifelong", "lifelong_20_used", "lifelong_20_noise"}
    assert rows["lifelong", "evidence_recall_at_5"].n == questions
    # Fewer than are ever learned from: all serve as they were shipped.
    assert rows["lifelong_20_used", "changed_rate"].value == 0.0
    assert rows["lifelong_20_used", "evidence_recall_at_5"].value == rows["lifelong", "evidence_recall_at_5"].value
