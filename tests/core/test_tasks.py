from __future__ import annotations

from typing import Any

import pytest

from lifelong.core import Judge, MalformedTask, Task, drawn_id


@pytest.mark.parametrize(
    ("given", "text"),
    [("plain", "plain"), ({"rows": [1, "é"]}, '{"rows": [1, "é"]}'), (["a"], '["a"]'), (b"bytes \xff", "bytes �"), (None, "")],
)
def test_plain_data_in_a_task_becomes_text(given: Any, text: str) -> None:
    task = Task(id="1", goal="g", context=given, instructions=given)
    assert (task.context, task.instructions) == (text, text)
    assert task.text == f"{text}\ng".strip()


def test_what_is_neither_text_nor_data_is_refused_by_name() -> None:
    with pytest.raises(MalformedTask, match="'context' must be text or plain data, got object"):
        Task(id="1", goal="g", context=object())  # type: ignore[arg-type]
    with pytest.raises(MalformedTask, match="'goal' must be a non-empty string"):
        Task(id="1", goal=None)  # type: ignore[arg-type]


def test_names_of_tools_are_those_of_functions_that_have_one() -> None:
    tools: tuple[Any, ...] = ({"type": "function", "function": {"name": "find"}}, {"type": "custom"}, {"function": {"name": 3}}, "x", None)
    assert Task(id="1", goal="g", tools=tools).tool_names == {"find"}
    assert Task(id="1", goal="g").tool_names == frozenset()


def test_who_may_overrule_whom() -> None:
    order = [Judge.SELF, Judge.INFERRED, Judge.TOOL, Judge.USER]
    for position, lower in enumerate(order):
        assert lower.may_overrule(lower)
        for higher in order[position + 1 :]:
            assert higher.may_overrule(lower)
            assert not lower.may_overrule(higher)
        for final in (Judge.ENVIRONMENT, Judge.VERIFIER):
            assert final.may_overrule(lower)
            assert not lower.may_overrule(final)
    assert Judge.VERIFIER.may_overrule(Judge.ENVIRONMENT)
    assert [judge for judge in Judge if not judge.trusted] == [Judge.INFERRED, Judge.SELF]


def test_a_drawn_id_says_nothing_of_its_task_and_the_key_does() -> None:
    first, again = (Task(id=drawn_id(), goal="g", context="c", instructions="i") for _ in range(2))
    assert first.id != again.id
    assert first.key == again.key != Task(id=drawn_id(), goal="g", context="c", instructions="j").key
    assert Task(id="database-train-0-1", goal="g").key == "database-train-0-1"
