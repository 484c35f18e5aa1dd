from __future__ import annotations

from lifelong.evals.data.dialogues import Asked, own_dialogues
from lifelong.evals.suites.recall.asked import cases, recall_at
from lifelong.perception import HashedEncoder


def test_candidates_hold_most_of_the_evidence() -> None:
    one = own_dialogues()[0]
    found = cases(one, HashedEncoder())
    shares = [len(case.asked.evidence & set(case.turns)) / len(case.asked.evidence) for case in found]
    assert sum(shares) / len(shares) > 0.9


def test_recall_by_hand() -> None:
    asked = Asked(text="q", evidence=frozenset({2, 5}), category=1)
    assert [recall_at([5, 1, 2], asked, k) for k in (1, 2, 3)] == [0.5, 0.5, 1.0]
