"""Memories of others beside ours: the same turns, the same questions, the same encoder."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from lifelong.evals.data.dialogues import Asked, Dialogue, DialogueTurn
from lifelong.evals.suites.recall.peers import TAKEN, Peer, installed, measured, measured_here
from lifelong.perception import Encoder, HashedEncoder

TOLD = ("My sister Ada lives in Bern.", "The boat is called Marlin.", "I paint the fence on Sundays.", "Lunch is at noon.")
ASKED = ("Where does my sister Ada live?", "What is the boat called?")


@pytest.fixture
def dialogue() -> Dialogue:
    turns = tuple(DialogueTurn(speaker="Kim", text=text, session=1, created=float(number)) for number, text in enumerate(TOLD))
    questions = tuple(Asked(text=text, evidence=frozenset({number}), category=4) for number, text in enumerate(ASKED))
    return Dialogue(name="made", turns=turns, questions=questions)


def test_ours_is_measured_by_what_the_product_finds(dialogue: Dialogue) -> None:
    found = measured_here(dialogue, HashedEncoder())
    assert [order[0] for order in found.orders] == [0, 1]
    assert found.write_ms > 0
    assert len(found.read_ms) == len(ASKED)


def test_a_peer_is_told_every_turn_and_asked_every_question(dialogue: Dialogue) -> None:
    heard: dict[int, str] = {}

    class Last:
        def write(self, number: int, text: str) -> None:
            heard[number] = text

        def read(self, question: str) -> list[int]:
            return [max(heard)] if question in ASKED else []

    def make(stack: ExitStack, encoder: Encoder) -> Peer:
        return Last()

    found = measured(make, dialogue, HashedEncoder())
    assert heard == {number: f"Kim: {text}" for number, text in enumerate(TOLD)}
    assert found.orders == ((3,), (3,))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["mem0", "langmem"])
def test_a_peer_that_is_installed_finds_a_turn(dialogue: Dialogue, name: str) -> None:
    peers = installed()
    if name not in peers:
        pytest.skip(f"{name} is not installed; its rows of `lifelong bench recall` are then left out")
    found = measured(peers[name], dialogue, HashedEncoder())
    assert all(len(order) == len(TOLD) <= TAKEN for order in found.orders)
    assert [place in order[:2] for place, order in enumerate(found.orders)] == [True, True]
