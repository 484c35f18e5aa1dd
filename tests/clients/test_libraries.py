"""Libraries that people use, against `lifelong serve`: an agent's loop with tools in each, and a second turn."""

from __future__ import annotations

import pytest
from real_clients.libraries import LIBRARIES
from real_clients.scripted_model import DONE, FOLLOW_UP, GOODBYE, PROMPT
from real_clients.served import Served, call_ids
from real_clients.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", LIBRARIES)
def test_an_agents_work_is_one_session(name: str, served: Served, workspace: Workspace) -> None:
    """The code was copied, and what was recorded: one session of two episodes, each turn in it once, each call with its result."""
    run, module = LIBRARIES[name]
    pytest.importorskip(module)
    assert run(served.url, workspace, [PROMPT, FOLLOW_UP]) == [f"{DONE} {workspace.code}", GOODBYE]
    assert workspace.copied
    [session] = served.new_sessions()
    assert (session == "my-session") == name.endswith("-named")
    episodes = served.episodes(session)
    assert [[step["type"] for step in one["steps"] if step["type"] != "recall"] for one in episodes] == [
        ["observation", "action", "tool_result", "action", "tool_result", "action"],
        ["observation", "action"],
    ]
    calls, results = call_ids(episodes)
    assert calls == results
    assert len(set(calls)) == 2
    assert workspace.code in next(step["text"] for step in episodes[0]["steps"] if step["type"] == "tool_result")
    assert [one["task"] for one in episodes] == [PROMPT, FOLLOW_UP]
