"""Command line agents that people use, against `lifelong serve`: a task with tools, and a second turn in the same conversation."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from real_clients.agents import WAYS, Agent, compact_early
from real_clients.install import PACKAGES, installed
from real_clients.scripted_model import DELEGATION, DONE, FOLLOW_UP, GOODBYE, PROMPT
from real_clients.served import Served, call_ids
from real_clients.workspace import Workspace

pytestmark = pytest.mark.slow


def start(name: str, served: Served, workspace: Workspace, home: Path) -> Agent:
    """An agent that is ready. Skips where it is not installed."""
    if not installed(name):
        pytest.skip(f"{PACKAGES[name].name} {PACKAGES[name].version} is not installed; `just clients` gets it from npm")
    served.new_sessions()
    return Agent(name, home, workspace, served.url)


def types(served: Served, session: str) -> list[list[str]]:
    """The kinds of steps of each episode of a session, without what memory added."""
    return [[step["type"] for step in one["steps"] if step["type"] != "recall"] for one in served.episodes(session)]


@pytest.mark.parametrize("name", PACKAGES)
def test_an_agents_work_is_one_session(name: str, served: Served, workspace: Workspace, tmp_path: Path) -> None:
    """Even where its first requests are refused for a moment: it asks again, and each turn stands there once."""
    agent = start(name, served, workspace, tmp_path / "home")
    before, served.model.refusals = len(served.model.exchanges), 2
    assert f"{DONE} {workspace.code}" in agent.ask(PROMPT)
    assert workspace.copied
    assert served.model.refusals == 0
    histories = [one.body.get("messages") or one.body["input"] for one in served.model.exchanges[before:] if one.body.get("tools")]
    assert len(histories) == 3
    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(histories)), "what memory adds stays where it is"
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


@pytest.mark.parametrize("name", [name for name, way in WAYS.items() if way.delegates])
def test_a_sub_agent_has_a_session_of_its_own(name: str, served: Served, workspace: Workspace, tmp_path: Path) -> None:
    agent = start(name, served, workspace, tmp_path / "home")
    agent.ask(DELEGATION + PROMPT)
    assert workspace.copied
    tasks = {served.episodes(session)[0]["task"]: session for session in served.new_sessions()}
    assert len(tasks) == 2, tasks
    parent, child = sorted(tasks, key=lambda task: DELEGATION not in task)
    assert DELEGATION in parent
    assert child == PROMPT
    [steps] = types(served, tasks[child])
    assert steps[-5:] == ["action", "tool_result", "action", "tool_result", "action"]
    calls, results = call_ids(served.episodes(tasks[parent]))
    assert calls == results
    heard = [step["text"] for one in served.episodes(tasks[parent]) for step in one["steps"] if step["type"] == "tool_result"]
    assert workspace.code in heard[-1]


def test_codex_compacts_its_history_in_the_middle_of_a_run(served: Served, workspace: Workspace, tmp_path: Path) -> None:
    """The run goes on, with the result that only the request for a summary showed; the summary itself is nobody's request."""
    agent = start("codex", served, workspace, tmp_path / "home")
    compact_early(tmp_path / "home")
    agent.ask(PROMPT)
    agent.ask(FOLLOW_UP, resume=True)
    [session] = served.new_sessions()
    first, second = served.episodes(session)
    assert [step["type"] for step in first["steps"]][-3:] == ["action", "tool_result", "action"]
    assert workspace.code in next(step["text"] for step in first["steps"] if step["type"] == "tool_result")
    assert (PROMPT in first["task"], FOLLOW_UP in second["task"]) == (True, True)
