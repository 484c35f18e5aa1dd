"""What a person expects of a chat that is corrected: a fact is right at once and after the night, a form is learned by the night."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path

import pytest

from lifelong.core import Settings, Task
from lifelong.orchestrator import LifelongLearner
from lifelong.orchestrator.run_state import NightState

ROOMS = ["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivy", "Juniper", "Katsura", "Larch"]
CODES = {room: str(random.Random(room).randrange(1000, 9999)) for room in ROOMS}
SAME, OTHER = "What is the door code of room {}?", "Please tell me the code for the door of {}"
TAUGHT = ["brushes", "ropes", "lamps", "hinges", "spoons", "kettles", "ladders", "buckets", "candles", "saddles", "pencils", "mirrors"]
UNSEEN = ["anchors", "pillows", "shovels", "whistles", "magnets", "drums"]
ORDERS = [(f"Order {2 + (7 * i) % 23} of {item}", f"[{item} x{2 + (7 * i) % 23}] ok") for i, item in enumerate([*TAUGHT, *UNSEEN])]
NUMBERS = itertools.count()
FORM = re.compile(r"\[[a-z]+ x\d+\] ok")
ELSEWHERE = ("What colour is the sky on a clear day?", "Who wrote Hamlet?", "List two fruits.", "What is the boiling point of water?")


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(5400)
def test_facts_and_a_form_are_learned_in_one_night(tmp_path: Path) -> None:
    with LifelongLearner.open(Settings(home=tmp_path).with_values({"wake.control_share": 0.0})) as learner:
        for room, code in CODES.items():
            correct(learner, SAME.format(room), f"The door code of room {room} is {code}.")
        assert facts(learner, SAME) >= 11, "a corrected fact is right at once"
        assert facts(learner, OTHER) >= 9, "in other words too"
        for question, right in ORDERS[: len(TAUGHT)]:
            correct(learner, question, right)
        id = learner.start_sleep()
        learner.wait_for_nights()
        night = learner.night(id)
        assert night.state is NightState.PUBLISHED, night.reason
        assert night.reason.startswith("chat: "), "what changed is said"
        answers = [(right, ask(learner, question)[1]) for question, right in ORDERS[len(TAUGHT) :]]
        assert sum(bool(FORM.fullmatch(answer)) for _, answer in answers) >= 5, answers
        assert sum(right == answer for right, answer in answers) >= 4, answers
        assert facts(learner, SAME) >= 11, "a fact is right after the night"
        assert facts(learner, OTHER) >= 9
        for question in ELSEWHERE:
            _, answer = ask(learner, question)
            assert answer
            assert "[" not in answer
            assert not answer.endswith("ok"), "no other question takes the form"


def ask(learner: LifelongLearner, question: str) -> tuple[str, str]:
    """Id and answer of an episode."""
    episode = learner.wake(Task(id=f"{next(NUMBERS)}", goal=question, environment="chat"), max_tokens=40)
    return episode.id, episode.answer.strip()


def correct(learner: LifelongLearner, question: str, right: str) -> None:
    learner.feedback(ask(learner, question)[0], success=False, correction=right)


def facts(learner: LifelongLearner, form: str) -> int:
    """How many of the codes are in the answers."""
    return sum(code in ask(learner, form.format(room))[1] for room, code in CODES.items())
