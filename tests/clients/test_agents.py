"""Command line agents that people use, against `lifelong serve`: a task with tools, and a second turn in the same conversation."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_clients.agents import Agent
from real_clients.install import PACKAGES, installed
from real_clients.scripted_model import DONE, FOLLOW_UP, GOODBYE, PROMPT
from real_clients.served import Served, call_ids
from real_clients.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", PACKAGES)
def test_an_agents_work_is_one_session(name: str, served: Served, workspace: Workspace, tmp_path: Path) -> None:
    if not installed(name):
        pytest.skip(f"{PACKAGES[name].name} {PACKAGES[name].version} is not installed; `just clients` gets it from npm")
    agent = Agent(name, tmp_path / "home", workspace, served.url)
    assert f"{DONE} {workspace.code}" in agent.ask(PROMPT)
    assert workspace.copied
    if agent.resumes:
        assert GOODBYE in agent.ask(FOLLOW_UP, resume=True)
    [session] = served.new_sessions()
    episodes = served.episodes(session)
    calls, results = call_ids(episodes)
    assert calls == results
    assert len(set(calls)) == 2
    actions = [step["text"] for one in episodes for step in one["steps"] if step["type"] == "action"]
    assert actions == ["", "", f"{DONE} {workspace.code}", *([GOODBYE] if agent.resumes else [])]
    assert workspace.code in next(step["text"] for step in episodes[0]["steps"] if step["type"] == "tool_result")
    assert sum(PROMPT in one["task"] for one in episodes) == 1
    assert sum(FOLLOW_UP in one["task"] for one in episodes) == agent.resumes
