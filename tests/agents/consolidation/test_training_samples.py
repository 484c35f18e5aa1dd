from __future__ import annotations

from lifelong.agents import prompt, samples
from lifelong.core import Action, Episode, Judge, Observation, Outcome, Recall, Reward, Step, Task, ToolResult, tool_call

TASK = Task(id="1", goal="Go to the ball.", context="A room.", instructions="Answer with one action.")
SOLVED = Outcome(success=True, score=1.0, judge=Judge.ENVIRONMENT)


def episode(*steps: Step, outcome: Outcome = SOLVED, correction: str = "") -> Episode:
    return Episode(id="e", task=TASK, steps=steps, outcome=outcome, skill="s", correction=correction)


def test_a_composed_answer_gives_one_sample_without_what_was_refused_or_recalled() -> None:
    run = episode(
        Observation(text=TASK.text),
        Recall(text="Example: ...", episodes=("x",)),
        Action(text="SELEC 1"),
        ToolResult(text="Error: near SELEC", error=True),
        Action(text="SELECT 1"),
        ToolResult(text="1"),
    )
    [sample] = samples([run])
    assert sample.answer == "SELECT 1"
    assert [message["content"] for message in sample.messages] == ["Answer with one action.", TASK.text]
    assert sample.composed


def test_every_chosen_action_gives_a_sample_of_goal_and_state() -> None:
    run = episode(
        Observation(text=TASK.text),
        Action(text="left", chosen=True),
        ToolResult(text="ball ahead"),
        Action(text="forward", chosen=True),
        ToolResult(text="there"),
    )
    first, second = samples([run])
    assert (first.answer, second.answer) == ("left", "forward")
    assert first.messages[-1]["content"] == TASK.text
    assert second.messages[-1]["content"] == "Go to the ball.\nball ahead"
    assert not second.composed


def test_a_correction_replaces_the_answer_and_keeps_the_conversation() -> None:
    run = episode(
        Observation(text="Hello"),
        Action(text="Hi"),
        Observation(text="Capital of Peru?"),
        Action(text="Quito"),
        outcome=Outcome(success=False, judge=Judge.USER),
        correction="Lima",
    )
    [sample] = samples([run])
    assert sample.answer == "Lima"
    assert [message["content"] for message in sample.messages[1:]] == ["Hello", "Hi", "Capital of Peru?"]
    assert prompt(run) == sample.messages


def test_nothing_unverified_is_learned() -> None:
    steps = (Observation(text="Hello"), Action(text="Hi"))
    for outcome in (Outcome(success=None), Outcome(success=False, judge=Judge.USER), Outcome(success=True, judge=Judge.SELF)):
        assert samples([episode(*steps, outcome=outcome)]) == []


def test_a_call_whose_result_shows_a_failure_is_not_learned() -> None:
    def called(number: int, text: str) -> tuple[Action, ToolResult]:
        call = tool_call("run", {"n": number}, f"c{number}")
        return Action(text="", tool_calls=(call,)), ToolResult(text=text, tool_call_id=f"c{number}")

    failed, passed = called(0, "Process exited with code 1"), called(1, "5 passed in 0.1s")
    run = episode(Observation(text=TASK.text), *failed, *passed, Action(text="Done."))
    learned = samples([run])
    assert [sample.answer for sample in learned] == [passed[0].reply, "Done."]
    assert "exited with code 1" in str(learned[0].messages), "it was seen, and the prompt is what was seen"


def test_a_conversation_that_went_before_stands_in_the_prompt() -> None:
    before = (Observation(text="Hello"), Action(text="Hi"))
    run = episode(Observation(text=TASK.text), Action(text="Done."))
    [sample] = samples([run], before=before)
    assert [message["content"] for message in sample.messages] == ["Answer with one action.", "Hello", "Hi", TASK.text]
    assert sample.answer == "Done."
    assert prompt(run, before) == sample.messages


def test_a_turn_that_earned_less_than_nothing_is_not_learned() -> None:
    def called(number: int) -> tuple[Step, ...]:
        return Action(text="", tool_calls=(tool_call("run", {"n": number}, f"c{number}"),)), ToolResult(
            text="ok", tool_call_id=f"c{number}"
        )

    run = episode(Observation(text=TASK.text), *called(0), Reward(text="", value=-1.0), *called(1), Reward(text="", value=0.0))
    [sample] = samples([run])
    assert '"n": 1' in sample.answer
