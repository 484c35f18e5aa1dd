from __future__ import annotations

import pytest

from lifelong.memory.recall.matter import FEATURES, MatterWeights, matter_features, matter_weights, same_matter


def test_a_change_of_the_same_thing_takes_its_place_and_another_thing_does_not() -> None:
    assert same_matter("The spare key is under the pot.", "The spare key is under the mat now.", 0.85)
    assert not same_matter("The spare key is under the pot.", "The canary is called Pip.", 0.05)


def test_features_by_hand() -> None:
    cosine, overlap, change, both = matter_features("My cat is called Tom.", "Tom moved to my aunt.", 0.4)
    assert (cosine, overlap, change) == (0.4, pytest.approx(1 / 3), 1.0)
    assert both == pytest.approx(0.4 / 3)


def test_the_shipped_weights_name_every_feature_and_rise_with_what_is_shared() -> None:
    assert len(matter_weights().weights) == len(FEATURES)
    weights = MatterWeights(weights=(1.0, 1.0, 1.0, 1.0), offset=-2.0)
    assert weights.chance((0.9, 0.9, 1.0, 0.81)) > weights.chance((0.1, 0.1, 0.0, 0.01))
