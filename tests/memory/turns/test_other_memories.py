"""What other memory layers put into a prompt is noticed, and is nothing that a person said."""

from __future__ import annotations

import time

import pytest

from lifelong.core import UNKNOWN, Episode, Observation, Task
from lifelong.memory.turns.other_memories import MARKS, other_memories
from lifelong.memory.turns.passages import passages

SECRET = "The user's sister Ada lives in Bern"
BLOCKS = {
    "claude-code": f"<system-reminder>\n# claudeMd\nContents of CLAUDE.md (project instructions):\n\n{SECRET}.\n</system-reminder>",
    "codex": f"# AGENTS.md instructions for the project\n\n<INSTRUCTIONS>\n{SECRET}.\n</INSTRUCTIONS>",
    "claude-mem": f"<claude-mem-context>\n# Memory Context\n{SECRET}.\n</claude-mem-context>",
    "hindsight": f"<hindsight_memories>\n{SECRET}.\n</hindsight_memories>",
    "letta": f"<memory_blocks>\n<human>\n{SECRET}.\n</human>\n</memory_blocks>",
    "openclaw": f"<relevant-memories>\n1. {SECRET}.\n</relevant-memories>",
    "openviking": f"<openviking-context>\n{SECRET}.\n</openviking-context>",
    "supermemory": f"<supermemory-context>\n{SECRET}.\n</supermemory-context>",
    "unnamed": f"Relevant memories about the user:\n- {SECRET}.\n- She likes tea.\n",
}


@pytest.mark.parametrize("layer", BLOCKS)
def test_a_block_of_each_layer_is_noticed_and_never_becomes_a_statement(layer: str) -> None:
    text = f"{BLOCKS[layer]}\nMy garden has roses."
    assert other_memories(text) == (layer,)
    episode = Episode(id="e", task=Task(id="t", goal=text), steps=(Observation(text=text),), outcome=UNKNOWN)
    said = [one.text for one in passages(episode)]
    assert any("roses" in one for one in said)
    assert not any("Ada" in one for one in said)


def test_every_mark_has_an_example() -> None:
    assert set(MARKS) < set(BLOCKS)


@pytest.mark.parametrize("block", ["<memory>x</memory>", "<user_memories>x</user_memories>", "<recalled_memory>x</recalled_memory>"])
def test_elements_that_speak_of_memory_are_noticed(block: str) -> None:
    assert other_memories(block) == ("unnamed",)


@pytest.mark.parametrize(
    "text", ["", "I have fond memories of Bern.", "How much memory is left: 3 GB", "See the memory:\nit is full", "List<Memory> x"]
)
def test_what_people_say_of_memory_is_none(text: str) -> None:
    assert other_memories(text) == ()


def test_the_time_is_linear() -> None:
    started = time.process_time()
    for text in ("memories " * 50_000, "# " * 100_000, "Relevant memories:\n" * 10_000, "<a" * 100_000, "Contents of " * 20_000):
        other_memories(text)
    assert time.process_time() - started < 3
