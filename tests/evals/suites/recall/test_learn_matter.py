from __future__ import annotations

import numpy as np

from lifelong.evals.data.dialogues import own_dialogues, statement_pairs
from lifelong.evals.suites.recall.learn_matter import fit_same_matter, held_out_chances, matter_design, said_beside
from lifelong.memory.recall.matter import FEATURES, matter_weights
from lifelong.memory.turns.sentences import stated
from lifelong.perception import HashedEncoder


def test_pairs_of_dialogues_are_of_one_speaker_and_in_order() -> None:
    dialogue = own_dialogues()[0]
    pairs = said_beside([dialogue], HashedEncoder())
    assert len(pairs) > 100
    texts = [turn.text for turn in dialogue.turns]
    speakers = {turn.text: turn.speaker for turn in dialogue.turns}
    for pair in pairs:
        assert speakers[pair.earlier] == speakers[pair.later]
        assert texts.index(pair.earlier) < len(texts) - texts[::-1].index(pair.later)
        assert stated(pair.earlier)
        assert not pair.same_matter


def test_updates_are_more_probable_than_what_looks_like_them_in_pairs_that_were_not_learned_from() -> None:
    made = statement_pairs()
    groups = [[pair for pair in made if pair.same_matter], [pair for pair in made if not pair.same_matter]]
    updates, alike = held_out_chances(groups, HashedEncoder())
    assert len(updates) == len(groups[0])
    assert np.median(updates) > np.quantile(alike, 0.75)
    fitted = fit_same_matter(groups, HashedEncoder())
    assert len(fitted.weights) == len(FEATURES)
    assert dict(zip(FEATURES, fitted.weights, strict=True))["turned"] > 0


def test_the_shipped_weights_call_little_of_the_dialogues_outdated() -> None:
    encoder = HashedEncoder()
    pairs = said_beside(own_dialogues()[:3], encoder)
    chances = [matter_weights().chance(row) for row in matter_design(pairs, encoder).tolist()]
    assert np.mean(np.array(chances) >= 0.5) < 0.01
