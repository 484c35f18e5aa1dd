from __future__ import annotations

import re

from lifelong.evals.data.chat_facts import _NAMES, _TEMPLATES, chat_facts, chatter, unrelated_questions
from lifelong.evals.data.dialogues import OWN


def test_facts_are_made_up_anew_the_same_and_apart() -> None:
    facts = chat_facts()
    assert facts == chat_facts()
    assert facts != chat_facts(seed=1)
    for field in ("statement", "same_words", "other_words", "german", "update"):
        assert len({getattr(fact, field) for fact in facts}) == len(facts) == 50
    for fact in facts:
        assert fact.value in fact.statement
        assert fact.new_value in fact.update
        assert not any(fact.value in question for question in (fact.same_words, fact.other_words, fact.german))


def test_nothing_of_them_stands_where_the_weights_were_learned() -> None:
    learned_from = " ".join(path.read_text(encoding="utf-8") for path in OWN.iterdir())
    words = set(re.findall(r"[\w-]+", learned_from))
    months_and_days = {"February", "April", "October", "December", "Wednesday", "Friday", "Monday", "Thursday"}
    values = {value for template in _TEMPLATES for value in template.values} - months_and_days
    assert not words & set(_NAMES)
    assert sorted(words & {value for value in values if not value.islower()}) == []
    assert not any(fact.statement in learned_from for fact in chat_facts())


def test_other_turns_say_nothing_of_the_facts() -> None:
    facts, turns = chat_facts(), chatter()
    assert len(turns) == 500
    assert not any(fact.value in turn for fact in facts for turn in turns)
    assert len(unrelated_questions(100)) == 100
    assert not set(" ".join(unrelated_questions()).split()) & {"kettle", "lantern", "piano"}
