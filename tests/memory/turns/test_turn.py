from __future__ import annotations

from lifelong.memory.turns.turn import ANSWERS, NUMBER, QUESTION, TIME


def test_flags_are_separate_bits() -> None:
    assert len({ANSWERS, QUESTION, TIME, NUMBER, QUESTION | TIME, QUESTION | NUMBER, TIME | NUMBER, QUESTION | TIME | NUMBER}) == 8
