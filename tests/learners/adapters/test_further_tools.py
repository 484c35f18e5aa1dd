"""Further tools change the list alone, never the answer, and are drawn from other samples."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lifelong.core.messages import reply_text, tool_call, tool_specification
from lifelong.learners import Recipe, Sample
from lifelong.learners.adapters.further_tools import MOST_ADDED, MOST_CHARACTERS, MOST_TOOLS, pool, with_further_tools
from lifelong.learners.adapters.lora import _rows


def sample(name: str, *names: str, answer: str = "") -> Sample:
    return Sample(
        messages=({"role": "user", "content": f"please {name}"},),
        answer=answer or reply_text("", [tool_call(name, {}, "call_0")]),
        tools=tuple(tool_specification(one) for one in (name, *names)),
        skill="tool calls",
        episode=name,
    )


def names(one: Sample) -> list[str]:
    return [tool["function"]["name"] for tool in one.tools]


@given(st.integers(0, 12), st.integers(0, 10), st.integers(0, 1000))
def test_own_tools_stay_and_a_few_of_others_come(others: int, own: int, seed: int) -> None:
    mine = sample("look", *(f"own_{number}" for number in range(own)))
    tools = pool([mine, *(sample(f"other_{number}") for number in range(others))])
    found = with_further_tools(mine, tools, random.Random(seed))
    assert replace(found, tools=mine.tools) == mine
    assert set(names(mine)) <= set(names(found))
    assert len(set(names(found))) == len(names(found))
    added = len(names(found)) - len(names(mine))
    assert (0 < added <= MOST_ADDED) == (others > 0 and own + 1 < MOST_TOOLS)
    assert with_further_tools(mine, tools, random.Random(seed)) == found


def test_what_calls_nothing_and_what_would_grow_too_long_stays_as_it_is() -> None:
    tools = pool([sample("look"), sample("find")])
    said = sample("look", answer="It is in the drawer.")
    assert with_further_tools(said, tools, random.Random(0)) is said
    bare = replace(sample("look"), tools=())
    assert with_further_tools(bare, (), random.Random(0)) is bare
    long = tool_specification("long", "word " * MOST_CHARACTERS)
    mine = sample("look")
    assert with_further_tools(mine, (long,), random.Random(0)) is mine


def test_of_several_tools_with_a_name_the_first_is_in_the_pool_and_what_has_none_is_not() -> None:
    odd: Any = replace(sample("look"), tools=({"type": "custom"}, tool_specification("look", "other words")))
    assert pool([sample("look"), odd, sample("find")]) == (tool_specification("look"), tool_specification("find"))


def test_training_offers_them_in_some_epochs_and_to_all_turns_of_a_run_alike(tiny_model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    turns = [sample("look"), sample("find")]
    call = reply_text("", [tool_call("look", {}, "call_0")])
    onward = replace(
        turns[0],
        messages=(*turns[0].messages, {"role": "assistant", "content": call}, {"role": "user", "content": "and again"}),
    )
    several = [*turns, onward]

    def read(share: float) -> list[str]:
        recipe = Recipe(base=str(tiny_model), epochs=8, further_tools=share, max_length=2048)
        rows, size = _rows(several, recipe, tokenizer)
        assert size == round(8 * 2 / 3), "the two turns of a run are one row in each epoch"
        return [tokenizer.decode(row["input_ids"]) for row in rows]

    assert all(('"find"' in text) != ('"look"' in text) for text in read(0.0))
    both = sum('"find"' in text and '"look"' in text for text in read(0.5))
    assert 0 < both < 16
    assert all('"find"' in text and '"look"' in text for text in read(1.0))
