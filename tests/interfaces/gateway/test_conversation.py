"""From a conversation to a task and back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lifelong.core import Action, Conversation, Episode, MalformedTask, Message, Outcome, Task, Usage
from lifelong.interfaces.gateway.conversation import reply_of, shown_model, task_of
from lifelong.orchestrator.wake import AUXILIARY


def conversation(*turns: tuple[str, str], max_tokens: int | None = None) -> Conversation:
    messages: list[Message] = [{"role": role, "content": text} for role, text in turns]  # type: ignore[typeddict-item]
    return Conversation(messages=tuple(messages), model="lifelong", max_tokens=max_tokens)


def test_instructions_history_and_goal() -> None:
    task, history = task_of(
        conversation(("system", "be brief"), ("user", "one"), ("assistant", "two"), ("system", "and kind"), ("user", "three")), tenant="ann"
    )
    assert (task.goal, task.instructions, task.tenant, task.environment) == ("three", "be brief\nand kind", "ann", "chat")
    assert [turn["content"] for turn in history] == ["one", "two"]


def test_the_same_request_is_the_same_task_though_its_id_tells_nothing_of_it() -> None:
    one, other = conversation(("user", "x")), conversation(("system", "y"), ("user", "x"))
    first, again, differs = (task_of(asked, tenant="a")[0] for asked in (one, one, other))
    assert first.key == again.key != differs.key
    assert first.id != again.id


@pytest.mark.parametrize("turns", [(), (("system", "x"),), (("user", "a"), ("assistant", "b"))])
def test_a_conversation_without_a_question_is_refused(turns: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(MalformedTask, match="last of messages"):
        task_of(conversation(*turns), tenant="a")


def test_what_a_tool_asks_for_itself_is_marked() -> None:
    assert task_of(conversation(("user", "x")), tenant="a", learn=False)[0].environment == AUXILIARY
    assert task_of(conversation(("user", "### Task:\nTitle\n<chat_history>\n")), tenant="a")[0].environment == AUXILIARY


def test_a_reply_names_its_episode_and_says_when_it_was_cut() -> None:
    episode = Episode(
        id="e1",
        task=Task(id="t", goal="g"),
        steps=(Action(text="answer", cut=True),),
        outcome=Outcome(success=None),
        model="/models/small",
        usage=Usage(completion_tokens=5),
        created=7.5,
    )
    reply = reply_of(episode)
    assert (reply.id, reply.text, reply.created, reply.cut) == ("e1", "answer", 7, True)
    assert reply.details["model"] == "small"
    # As many tokens as were allowed are no sign that there were more to come.
    assert not reply_of(replace(episode, steps=(Action(text="answer"),))).cut


def test_paths_stay_on_this_machine() -> None:
    assert shown_model("/somewhere/model") == "model"
    assert shown_model("owner/model") == "owner/model"
