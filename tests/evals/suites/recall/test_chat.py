from __future__ import annotations

from lifelong.evals.suites.recall.chat import chat_rows, count_tokens, opened_chats
from lifelong.evals.suites.recall.suite import _row
from lifelong.perception import HashedEncoder


def test_facts_told_in_chats_reach_the_prompts_of_new_ones_and_of_nobody_else() -> None:
    rows = {
        row.case.removeprefix("13 facts among 65 other turns, "): row.value
        for row in chat_rows(HashedEncoder(), "lifelong", _row, facts=13, others=65)
    }
    assert rows["in the same words"] >= 0.9
    assert rows["after an update"] >= 0.9
    assert rows["by another tenant"] == 0
    assert rows["after being forgotten"] == 0
    assert rows["unrelated questions"] >= 0.9
    assert 0 <= rows["in German"] <= rows["in the same words"]


def test_a_prompt_shows_what_was_said_in_another_chat_inside_the_budget() -> None:
    with opened_chats(HashedEncoder()) as chats:
        assert chats.prompt("What is the harbour called?") == ""
        chats.say(["Our harbour is called Fulmar Bay.", "How do I boil an egg?"], "one", 1e9)
        shown = chats.prompt("What is our harbour called?")
        assert "Our harbour is called Fulmar Bay." in shown
        assert count_tokens(shown) <= 256
