from __future__ import annotations

import pytest

from lifelong.memory.recall.matter import FEATURES, MatterWeights, matter_features, matter_weights, same_matter


def test_a_change_of_the_same_thing_takes_its_place_and_another_thing_does_not() -> None:
    assert same_matter("The spare key is under the pot.", "The spare key is under the mat now.", 0.85)
    assert not same_matter("The spare key is under the pot.", "The canary is called Pip.", 0.05)


def test_features_by_hand() -> None:
    features = matter_features("My cat is called Tom.", "Tom moved to my aunt.", 0.4)
    # cat, call, tom; tom, move, aunt: of what they begin with, `tom` alone stands in the other.
    assert features == (0.4, pytest.approx(1 / 3), 0.25, 1.0, 0.25)


def test_the_shipped_weights_name_every_feature_and_rise_with_what_is_shared() -> None:
    assert len(matter_weights().weights) == len(FEATURES)
    weights = MatterWeights(weights=(1.0,) * len(FEATURES), offset=-2.0)
    assert weights.chance([0.9] * len(FEATURES)) > weights.chance([0.1] * len(FEATURES))
