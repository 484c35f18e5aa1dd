from __future__ import annotations

import time

import pytest

from lifelong.memory.recall.matter import FEATURES, MatterWeights, matter_features, matter_weights, same_matter


@pytest.mark.parametrize(
    ("earlier", "later", "cosine"),
    [
        ("The spare key is under the pot.", "The spare key is under the mat now.", 0.85),
        (
            "Hey Ruth, good to see you! My studio is in Ghent.",
            "Thanks, Ruth, you're kind! My studio isn't in Ghent any more, it's in Lier.",
            0.75,
        ),
        ("My sister Ada lives in Bern.", "Ada doesn't live in Bern any longer, she moved to Rome.", 0.75),
        ("My studio is in Ghent. I paint there on Sundays.", "I moved my studio from Ghent to Lier.", 0.75),
    ],
)
def test_a_change_of_the_same_thing_takes_its_place(earlier: str, later: str, cosine: float) -> None:
    assert same_matter(earlier, later, cosine)


@pytest.mark.parametrize(
    ("earlier", "later", "cosine"),
    [
        ("The spare key is under the pot.", "The canary is called Pip.", 0.05),
        # Long turns of one chat: the same name, the same courtesies, words of change for something else.
        (
            "Hey Ruth, thanks so much! My studio is in Ghent, the light is great there.",
            "Hey Ruth, thanks so much! I've learned a lot since we talked, I feel like a new person now.",
            0.62,
        ),
        (
            "Wow, Ruth, that is amazing! We went to the lake with the kids again and it was so much fun.",
            "Wow, Ruth, that is amazing! The kids are back at school now, so I have started to bake again.",
            0.6,
        ),
        ("I work as a diver in Cork.", "My cousin works as a diver in Hull now.", 0.75),
        ("My boat is green.", "My uncle's boat isn't green any more, it's red now.", 0.75),
        ("My uncle's boat is red.", "My boat isn't red any more, it's green now.", 0.75),
        ("Thanks, Ruth!", "Ruth!", 0.9),
    ],
)
def test_another_thing_does_not(earlier: str, later: str, cosine: float) -> None:
    assert not same_matter(earlier, later, cosine)


def test_features_by_hand() -> None:
    features = matter_features("My cat is called Tom.", "Tom moved to a farm.", 0.4)
    # cat, call, tom; tom, move, farm: of what they begin with, `tom` alone stands in the other.
    assert features == (0.4, pytest.approx(1 / 3), 0.25, 0.25, 1.0, pytest.approx(1 / 3), 1.0, pytest.approx(1 / 3), 0.0)


@pytest.mark.parametrize(
    ("earlier", "later"), [("Is it late?", "My cat is called Tom."), ("", ""), ("I like tea.", "The server is called osprey now.")]
)
def test_statements_without_a_term_in_common_share_nothing(earlier: str, later: str) -> None:
    assert matter_features(earlier, later, 0.9) == (0.0,) * len(FEATURES)
    assert not same_matter(earlier, later, 0.9)


def test_the_shipped_weights_name_every_feature_and_rise_with_what_is_shared() -> None:
    assert len(matter_weights().weights) == len(FEATURES)
    weights = MatterWeights(weights=(1.0,) * len(FEATURES), offset=-2.0)
    assert weights.chance([0.9] * len(FEATURES)) > weights.chance([0.1] * len(FEATURES))


@pytest.mark.parametrize("unit", ["A, ", "not ", "moved ", "I have my boat. ", "x", "hey "])
def test_long_statements_cost_little(unit: str) -> None:
    text = unit * (50_000 // len(unit))
    started = time.process_time()
    matter_features(text, text + "!", 0.5)
    assert time.process_time() - started < 2
