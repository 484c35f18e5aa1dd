"""Further tools beside those of a sample: which one to call is learned where requests offered little choice.

A request with one tool teaches how to fill in its arguments and nothing of when it is the right one. Tools of other requests are added to
the list, so that the answer follows from what is asked alone. That irrelevant functions in the training data make a model call the right one
is what Lin et al. 2024 found, "Hammer: Robust Function-Calling for On-Device Language Models via Function Masking",
https://arxiv.org/abs/2410.04587.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...core import ToolSpecification, read_reply
from .samples import Sample

MOST_ADDED = 3
"""Tools that are added to a sample, at most."""
MOST_TOOLS = 8
"""Tools of a sample from which on there is choice enough."""
MOST_CHARACTERS = 2000
"""Characters that the added tools may take in the prompt."""


def pool(samples: Iterable[Sample]) -> tuple[ToolSpecification, ...]:
    """Every tool of the samples once, in their order; of several with one name the first."""
    found: dict[str, ToolSpecification] = {}
    for sample in samples:
        for tool in sample.tools:
            found.setdefault(_name(tool), tool)
    found.pop("", None)
    return tuple(found.values())


def with_further_tools(sample: Sample, tools: Sequence[ToolSpecification], rng: random.Random) -> Sample:
    """A sample that offers up to `MOST_ADDED` more tools, all of them in random order.

    It comes back as it is where its answer calls no tool, since one of the others might have answered better, and where there is choice
    enough. The same state of `rng` adds the same tools to the same list, so that the turns of a run keep theirs.
    """
    own = {_name(tool) for tool in sample.tools}
    others = [tool for tool in tools if _name(tool) not in own]
    if not others or len(own) >= MOST_TOOLS or not read_reply(sample.answer)[1]:
        return sample
    added: list[ToolSpecification] = []
    room = MOST_CHARACTERS
    for tool in rng.sample(others, min(len(others), rng.randint(1, MOST_ADDED))):
        room -= len(json.dumps(tool))
        if room >= 0:
            added.append(tool)
    offered = [*sample.tools, *added]
    rng.shuffle(offered)
    return replace(sample, tools=tuple(offered)) if added else sample


def _name(tool: ToolSpecification) -> str:
    function = tool.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else ""
