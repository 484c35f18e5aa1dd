"""What a model is shown of a run: everything while it fits, then the task and the newest turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.agents.strategies.transcript import TokenBudget, View, visible
from lifelong.core import Action, Observation, Recall, Reward, Step, Task, ToolResult, plain_messages, text_of, tool_call

TASK = Task(id="t", goal="Route the tickets.", instructions="One command at a time.")


def count(text: str) -> int:
    return len(text.split())


def run(turns: int, *, words: int = 5, calls: bool = False) -> list[Step]:
    steps: list[Step] = [Observation(text=TASK.text), Recall(text="Lesson: look first.", lessons=("l",))]
    for number in range(turns):
        made = (tool_call("do", {"n": number}, f"c{number}"),) if calls else ()
        steps.append(Action(text=f"do {number}" if not calls else "", tool_calls=made))
        steps.append(ToolResult(text=" ".join([f"r{number}"] * words), tool_call_id=f"c{number}" if calls else ""))
        steps.append(Reward(text=""))
    return steps


def size(task: Task, steps: list[Step], view: View) -> int:
    return sum(count(text_of(message)) + 8 for message in plain_messages(visible(task, steps, view)))


@pytest.mark.parametrize("calls", [False, True])
def test_a_run_that_fits_is_shown_whole(calls: bool) -> None:
    steps = run(4, calls=calls)
    view = TokenBudget(count, 1000).fit(TASK, steps)
    assert view == View()
    said = "\n".join(text_of(message) for message in visible(TASK, steps, view))
    assert all(f"r{number}" in said for number in range(4))
    assert "Lesson: look first." in said


@pytest.mark.parametrize("calls", [False, True])
def test_the_middle_is_left_out_of_a_run_that_does_not_fit(calls: bool) -> None:
    budget, steps = TokenBudget(count, 200), run(0)
    seen: set[int] = set()
    for turn in range(60):
        steps += run(turn + 1, calls=calls)[-3:]
        view = budget.fit(TASK, steps)
        messages = visible(TASK, steps, view)
        assert size(TASK, steps, view) <= 200
        said = "\n".join(text_of(message) for message in plain_messages(messages))
        assert TASK.goal in said
        assert f"r{turn} r{turn} r{turn}" in said, "the newest result stands there word for word"
        assert ("turns are left out" in said) == bool(view.omitted)
        assert messages[1]["role"] == "user"
        assert messages[2]["role"] == "assistant", "a kept turn begins with its action"
        if calls:
            named = [call["id"] for message in messages for call in message.get("tool_calls", ())]
            assert named == [message["tool_call_id"] for message in messages if message["role"] == "tool"]
        seen.add(view.omitted)
    assert 1 < len(seen) < 30, "it is left out in strides, so that the prefix of a prompt stays as it was for many turns"


def test_a_text_that_does_not_fit_loses_its_middle() -> None:
    steps = run(2, words=2000)
    view = TokenBudget(count, 300).fit(TASK, steps)
    assert view.clipped > 0
    said = "\n".join(text_of(message) for message in visible(TASK, steps, view))
    assert "characters left out" in said
    assert size(TASK, steps, view) <= 300


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(60, 400))
def test_what_was_left_out_stays_left_out(lengths: list[int], tokens: int) -> None:
    budget, steps, before = TokenBudget(count, tokens), run(0), 0
    for number, words in enumerate(lengths):
        steps += [Action(text=f"do {number}"), ToolResult(text=" ".join([f"r{number}"] * (words + 1)))]
        view = budget.fit(TASK, steps)
        assert view.omitted >= before
        assert steps[2 + view.omitted].name == "action"
        before = view.omitted


def test_a_view_is_known_from_the_action_and_the_run() -> None:
    answered: list[Step] = [Observation(text="a"), Action(text="b"), ToolResult(text="c")]
    called: list[Step] = [Observation(text="a"), Action(text=""), ToolResult(text="c", tool_call_id="1")]
    assert View.of(Action(text="d"), answered).history == "none"
    assert View.of(Action(text="d", chosen=True), answered).history == "last"
    assert View.of(Action(text="d"), called).history == "full"
    assert View.of(Action(text="d"), answered[:2]).history == "full"
    for view in (View(omitted=6, clipped=300), View(history="last"), View(history="none")):
        for chosen in (False, True):
            assert View.of(view.mark(Action(text="d", chosen=chosen)), answered) == view
    assert View(history="none").mark(Action(text="d")) == Action(text="d"), "what follows from the run is not written down"


def test_what_is_shown_costs_the_same_at_every_step() -> None:
    counted = 0

    def counting(text: str) -> int:
        nonlocal counted
        counted += 1
        return count(text)

    budget, steps, costs = TokenBudget(counting, 400), run(0), []
    for turn in range(300):
        steps += [Action(text=f"do {turn}"), ToolResult(text=f"r{turn}")]
        counted = 0
        budget.fit(TASK, steps)
        costs.append(counted)
    assert max(costs[1:]) <= 3, "two new steps and the instructions"
