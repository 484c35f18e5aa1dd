from __future__ import annotations

import numpy as np

from lifelong.evals.data.dialogues import Asked, own_dialogues
from lifelong.evals.suites.recall.asked import Remembering, cases, recall_at, with_exact_vectors
from lifelong.perception import HashedEncoder


def test_candidates_hold_most_of_the_evidence() -> None:
    one = own_dialogues()[0]
    found = cases(one, HashedEncoder())
    shares = [len(case.asked.evidence & set(case.turns)) / len(case.asked.evidence) for case in found]
    assert sum(shares) / len(shares) > 0.9


def test_recall_by_hand() -> None:
    asked = Asked(text="q", evidence=frozenset({2, 5}), category=1)
    assert [recall_at([5, 1, 2], asked, k) for k in (1, 2, 3)] == [0.5, 0.5, 1.0]


def test_exact_embeddings_are_those_of_the_texts_that_were_read() -> None:
    read = Remembering(HashedEncoder())
    one = cases(own_dialogues()[0], read)[0]
    exact = with_exact_vectors(one, read)
    assert exact.turns == one.turns
    apart = np.abs(exact.candidates.vectors - one.candidates.vectors).max()
    assert 0 < apart < 0.01
    np.testing.assert_allclose(np.linalg.norm(exact.candidates.vectors, axis=1), 1, atol=1e-6)
