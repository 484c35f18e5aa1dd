from __future__ import annotations

import numpy as np

from lifelong.memory.recall.fusion import Weights, shipped
from lifelong.memory.recall.signals import SIGNALS
from lifelong.memory.recall.use import LEAST, UsedQuestion, learn_from_use, used_turns, with_signals

NAMES = list(SIGNALS)
PERIOD, LENGTH = NAMES.index("period"), NAMES.index("length")


def questions(count: int, rewarded: int, seed: int = 0, *, noise: bool = False) -> list[UsedQuestion]:
    """Candidates with random signals; used is the one with the largest of one signal, or any one."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        values = generator.normal(size=(20, len(NAMES)))
        used = np.zeros(20)
        used[int(generator.integers(20)) if noise else int(np.argmax(values[:, rewarded]))] = 1.0
        found.append(UsedQuestion(values=values, used=used))
    return found


def ranked_first(found: list[UsedQuestion], weights: Weights) -> float:
    return float(np.mean([one.used[int(np.argmax(one.values @ weights.signals))] for one in found]))


def base(rewarded: int = LENGTH) -> Weights:
    signals = np.zeros(len(NAMES))
    signals[[PERIOD, rewarded]] = 1.0, 0.7
    return Weights(signals=signals, evidence=shipped().evidence, offset=0.0)


def test_what_was_used_is_what_holds_the_answer_and_not_the_question() -> None:
    texts = ["My canary is called Pip.", "My canary sings.", "Pip and Bernd went home."]
    assert used_turns("What is my canary called?", "Your canary is called Pip.", texts).tolist() == [1.0, 0.0, 1.0]
    assert used_turns("What is my canary called?", "What is my canary called?", texts).tolist() == [0.0, 0.0, 0.0]
    assert used_turns("Hello", "", texts).tolist() == [0.0, 0.0, 0.0]


def test_what_is_learned_finds_more_on_questions_that_were_never_seen() -> None:
    learned = learn_from_use(questions(200, LENGTH), base())
    assert learned.lowest_gain > 0
    assert learned.questions == 200
    unseen = questions(200, LENGTH, seed=1)
    assert ranked_first(unseen, with_signals(base(), learned.signals)) > ranked_first(unseen, base()) + 0.1
    assert learn_from_use(questions(200, LENGTH), base()) == learned


def test_noise_and_too_few_questions_teach_nothing() -> None:
    for seed in range(5):
        assert learn_from_use(questions(200, LENGTH, seed, noise=True), base()).signals == ()
    few = learn_from_use(questions(LEAST - 1, LENGTH), base())
    assert (few.signals, few.questions) == ((), LEAST - 1)
    assert with_signals(shipped(), ()) is shipped()


def test_no_signal_turns_round() -> None:
    learned = learn_from_use(questions(200, LENGTH), base())
    assert min(learned.signals) >= 0
