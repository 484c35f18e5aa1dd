"""What a user's next turn says of the answer before."""

from __future__ import annotations

import pytest

from lifelong.agents.outcomes.reactions import outcome_of_reaction
from lifelong.core import UNKNOWN, Judge

REQUEST = "Close the oldest ticket."


@pytest.mark.parametrize(
    "text",
    ["No, the other one.", "That's wrong", "wrong queue!", "Nein, den anderen.", "不对，另一个", "Try again", "close the  oldest TICKET."],
)
def test_corrections_and_the_same_request_again_are_failures(text: str) -> None:
    outcome = outcome_of_reaction(text, REQUEST)
    assert (outcome.success, outcome.score, outcome.judge, outcome.evidence) == (False, 0.0, Judge.INFERRED, text)


@pytest.mark.parametrize("text", ["Thanks!", "thank you, that works", "Perfect.", "Danke", "谢谢"])
def test_thanks_are_a_success(text: str) -> None:
    outcome = outcome_of_reaction(text, REQUEST)
    assert (outcome.success, outcome.judge, outcome.evidence) == (True, Judge.INFERRED, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "And the next one?",
        "Great, but it is wrong",
        "Thanks, can you also close T8?",
        "Now write a poem.",
        "thanks " * 20,
        "Notify Ann.",
    ],
)
def test_everything_else_says_nothing(text: str) -> None:
    assert outcome_of_reaction(text, REQUEST) == UNKNOWN
    assert outcome_of_reaction(text, "") == UNKNOWN
