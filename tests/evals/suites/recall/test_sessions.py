from __future__ import annotations

import numpy as np
import pytest

from lifelong.evals.data.dialogues import UNANSWERABLE, own_dialogues
from lifelong.evals.suites.recall.asked import cases, turn_vectors
from lifelong.evals.suites.recall.sessions import SessionScores, hit_at_1, methods, ndcg_of, session_scores
from lifelong.perception import HashedEncoder


def made(best: list[float], words: list[float], right: set[int]) -> SessionScores:
    return SessionScores(right=frozenset(right), bm25=np.array(words), best_turn=np.array(best), lifelong=np.array(best))


def test_fusion_by_hand_and_the_weight_is_chosen_on_other_dialogues() -> None:
    one = made([0.2, 0.6, 0.4], [3.0, 1.0, 2.0], {1})
    assert one.fused(0.5) == pytest.approx([0.5, 0.5, 0.5])
    assert one.fused(1.0) == pytest.approx([0.0, 1.0, 0.5])
    # Where meaning was right elsewhere, meaning decides; where words were, words do.
    assert hit_at_1(methods([one])["best_turn_and_bm25"](one), one.right) == 1
    words_right = made([0.2, 0.6, 0.4], [3.0, 1.0, 2.0], {0})
    assert hit_at_1(methods([words_right])["best_turn_and_bm25"](one), one.right) == 0
    assert ndcg_of(np.array([0.1, 0.9, 0.5]), frozenset({1})) == 1.0


def test_every_session_has_a_score_and_ours_are_shares() -> None:
    dialogue, encoder = own_dialogues()[0], HashedEncoder()
    asked = cases(dialogue, encoder)
    scored = session_scores(dialogue, asked, turn_vectors(dialogue, encoder), encoder)
    sessions = max(said.session for said in dialogue.turns) + 1
    assert len(scored) == sum(one.asked.category != UNANSWERABLE and bool(one.asked.evidence) for one in asked)
    for scores in scored:
        assert len(scores.bm25) == len(scores.best_turn) == len(scores.lifelong) == sessions
        assert scores.lifelong.sum() == pytest.approx(1.0)
        assert scores.right <= set(range(sessions))
