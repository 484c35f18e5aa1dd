"""From a conversation to a task and back: what every protocol of the gateway shares."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from ...core import Action, Conversation, Episode, MalformedTask, Message, Reply, Task, drawn_id, text_of
from ...core.visible import visible_text
from ...orchestrator.wake import AUXILIARY
from .protocols.parts import other_parts

NAME = "lifelong"
"""The model that clients ask for: the learner itself, which chooses the adapter."""

AUXILIARY_MARKS = ("### Task:", "<chat_history>")
"""How Open WebUI's own requests for titles, tags and follow-ups begin, and what they contain."""


def task_of(conversation: Conversation, *, tenant: str, learn: bool = True, session: str = "") -> tuple[Task, list[Message]]:
    """The task in a conversation and the turns before it, for an engine that reads and writes text alone.

    System messages are the instructions, the last user message is the goal; `session` is what the client calls it. Raises `MalformedTask`.
    """
    for message in conversation.messages:
        _check_plain(message)
    if conversation.count != 1:
        raise MalformedTask(f"n is {conversation.count}; this engine gives one answer, so send n: 1 or leave it out")
    instructions = "\n".join(text_of(one) for one in conversation.messages if one["role"] == "system")
    turns = [one for one in conversation.messages if one["role"] != "system" and visible_text(text_of(one))]
    if not turns or turns[-1]["role"] != "user":
        raise MalformedTask("the last of messages must be a user's and must hold text that can be seen")
    goal = text_of(turns[-1])
    auxiliary = not learn or is_auxiliary(conversation)
    task = Task(
        id=drawn_id(),
        goal=goal,
        instructions=instructions,
        tenant=tenant,
        environment=AUXILIARY if auxiliary else "chat",
        session=session,
    )
    return task, turns[:-1]


def is_auxiliary(conversation: Conversation) -> bool:
    """Whether a chat tool asks for itself: for a title, tags, a follow-up."""
    goal = text_of(conversation.messages[-1]) if conversation.messages else ""
    return goal.lstrip().startswith(AUXILIARY_MARKS[0]) and AUXILIARY_MARKS[1] in goal


def _check_plain(message: Message) -> None:
    if message["role"] == "tool" or message.get("tool_calls"):
        raise MalformedTask("messages hold tool calls or results, which this engine cannot read; set model.engine to 'openai'")
    if other := other_parts(message):
        raise MalformedTask(f"messages hold parts of type {', '.join(sorted(other))}; this engine reads parts of type 'text' alone")


def reply_of(episode: Episode) -> Reply:
    """An episode as the answer that goes out: its id is the episode's, so that feedback can name it."""
    return Reply(
        id=episode.id,
        text=episode.answer,
        model=NAME,
        created=int(episode.created),
        usage=episode.usage,
        cut=next((step.cut for step in reversed(episode.steps) if isinstance(step, Action)), False),
        details={
            "model": shown_model(episode.model),
            "adapter": episode.adapter,
            "skill": episode.skill,
            "lessons": list(episode.lessons),
            "control": episode.control,
            "placebo": episode.placebo,
            "verdict": asdict(episode.verdict) if episode.verdict else None,
        },
    )


def shown_model(model: str) -> str:
    """A model's name as clients see it: of a local directory its last part, since clients need no paths of this machine."""
    path = Path(model)
    return path.name if path.is_absolute() else model
