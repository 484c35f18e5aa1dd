"""Words for parameters."""

from __future__ import annotations

import random

import pytest

from lifelong.envs.tools.words import any_word, like, word_for

KINDS = "city country color language currency unit team timezone product subject person email title company phone url file street id name"


@pytest.mark.parametrize("word", KINDS.split())
def test_every_kind_has_many_words(word: str) -> None:
    found = {word_for([word], random.Random(seed)) for seed in range(60)}
    assert None not in found
    assert len(found) >= 4
    assert word_for([f"{word}s"], random.Random(1)) == word_for([word], random.Random(1)), "a plural is of the same kind"


def test_the_first_word_that_suggests_something_decides() -> None:
    assert word_for(["email", "city"], random.Random(0)).endswith("@example.com")  # type: ignore[union-attr]
    assert word_for(["wobble", "email"], random.Random(0)).endswith("@example.com")  # type: ignore[union-attr]
    assert word_for([], random.Random(0)) is None
    assert len({any_word(random.Random(seed)) for seed in range(60)}) > 40


@pytest.mark.parametrize(("example", "changes"), [("PX-2281", True), ("Paris", False), ("B2", False), ("", False)])
def test_digits_of_an_example_are_drawn_anew(example: str, changes: bool) -> None:
    found = {like(example, random.Random(seed)) for seed in range(20)}
    assert (len(found) > 10) is changes
    assert {len(one) for one in found} == {len(example)}
