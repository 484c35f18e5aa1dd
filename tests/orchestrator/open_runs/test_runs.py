"""Runs of somebody else's agent over several requests: durable turns, outcomes by trust, sessions."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from scripted import open_scripted

from lifelong.core import Judge, MalformedTask, NothingFound, Task, ToolResult, Usage, tool_call
from lifelong.orchestrator import LifelongLearner, OpenRun

CALL = tool_call("route", {"queue": "billing"}, "call_1")


def task(id: str = "t", *, session: str = "s", tenant: str = "default") -> Task:
    return Task(id=id, goal="Route ticket T7.", environment="tickets-v1", skill="tickets", session=session, tenant=tenant)


def test_a_run_over_several_requests_is_one_episode(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        run = learner.runs.begin(task(), id="run", messages=[{"role": "user", "content": "Route ticket T7."}])
        run.act(tool_calls=[CALL], usage=Usage(prompt_tokens=9, completion_tokens=4))
    with open_scripted(tmp_path) as learner:
        [run] = learner.runs.open(session="s")
        assert (run.id, run.position, run.skill, run.control) == ("run", 2, "tickets", False)
        run.append([{"role": "tool", "tool_call_id": "call_1", "content": "routed"}])
        run.act("Done.", usage=Usage(prompt_tokens=12, completion_tokens=1))
        episode = run.finish()
        assert learner.record.episodes.get("run") == episode
        assert [step.name for step in episode.steps] == ["observation", "action", "tool_result", "action"]
        result = episode.steps[2]
        assert isinstance(result, ToolResult)
        assert result.tool_call_id == "call_1"
        assert (episode.outcome.success, episode.usage.tokens, episode.skill) == (None, 26, "tickets")
        assert learner.runs.open() == []
        with pytest.raises(NothingFound):
            run.act("more")
        with pytest.raises(NothingFound):
            learner.runs.get("run")
        with pytest.raises(MalformedTask, match="ended already"):
            learner.runs.begin(task(), id="run")


def test_outcomes_are_overruled_by_trust_alone(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        run = learner.runs.begin(task(), id="run")
        run.act("Done.")
        learner.runs.judge("run", False, judge=Judge.INFERRED, evidence="no, the other one")
        run.judge(True, judge=Judge.TOOL, evidence="exit code 0")
        with pytest.raises(MalformedTask):
            run.judge(False, judge=Judge.INFERRED)
        episode = run.finish()
        assert (episode.outcome.success, episode.outcome.judge, episode.outcome.evidence) == (True, Judge.TOOL, "exit code 0")
        assert episode.trainable
        assert learner.runs.judge("run", False, judge=Judge.USER, reason="wrong queue").outcome.judge is Judge.USER
        verified = learner.runs.judge("run", True, 0.5, reason="queue is right")
        assert (verified.outcome.success, verified.outcome.score, verified.outcome.judge) == (True, 0.5, Judge.VERIFIER)
        with pytest.raises(MalformedTask, match="verifier"):
            learner.feedback("run", success=False)


def test_no_other_tenant_sees_a_run(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        learner.runs.begin(task(tenant="ann"), id="run")
        with pytest.raises(NothingFound):
            learner.runs.get("run", tenant="bob")
        with pytest.raises(NothingFound):
            learner.runs.judge("run", True, tenant="bob")
        with pytest.raises(NothingFound):
            learner.runs.session("s", tenant="bob")
        assert learner.runs.open(tenant="bob") == []
        assert learner.runs.sessions(tenant="bob") == []
        with pytest.raises(MalformedTask):
            learner.runs.begin(task(tenant="bob"), id="run")


def test_a_session_holds_every_turn_once(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        first = learner.runs.begin(task("a"))
        first.act("Done.")
        episode = first.finish()
        second = learner.runs.begin(task("b"), previous=episode.id)
        second.act("Again.")
        assert [one.id for one in learner.runs.session("s")] == [episode.id, second.id]
        [session] = learner.runs.sessions()
        assert (session.id, session.episodes) == ("s", 2)
        assert second.finish().previous == episode.id
        assert learner.runs.begin(task("c"), previous="no-such").finish().previous == ""
        assert [session.episodes for session in learner.runs.sessions()] == [3]


def test_what_was_recalled_is_known_after_a_restart(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        first = learner.runs.begin(task("a", session=""))
        first.act("billing")
        first.finish(success=True)
        run = learner.runs.begin(task("b"), id="run")
        assert "billing" in run.recall
        assert run.recall.startswith("<memory>")
        shown = run.recall
    with open_scripted(tmp_path) as learner:
        assert learner.runs.get("run").recall == shown
    with open_scripted(tmp_path / "other", **{"wake.control_share": 1.0}) as learner:
        first = learner.runs.begin(task("a"))
        first.act("billing")
        first.finish(success=True)
        run = learner.runs.begin(task("b"))
        assert (run.control, run.recall, run.adapter) == (True, "", "")
        assert learner.runs.get(run.id).recall == ""


AGENT = """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    from scripted import open_scripted
    from lifelong.core import Task, ToolResult

    ledger = Path(sys.argv[1]) / "ledger"
    with open_scripted(Path(sys.argv[1]) / "home") as learner, learner.run(Task(id="t", goal="work for long"), id="long") as run:
        done = sum(isinstance(step, ToolResult) for step in run.steps)
        for number in range(done + 1, 201):
            with ledger.open("a") as file:
                file.write(f"{number}\\n")
            run.tool("work", {"number": number}, f"did {number}")
            print(number, flush=True)
        run.finish(success=True)
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """After 151 acknowledged actions the process is killed; the next one begins with number 152 and repeats none."""
    command = [sys.executable, "-c", textwrap.dedent(AGENT), str(tmp_path), str(Path(__file__).parents[2] / "support")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        while int(child.stdout.readline()) < 151:
            pass
        os.kill(child.pid, 19)  # stops it before it is killed, so that what it did last is known
        child.kill()
        printed = [line for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    acknowledged = int(printed[-1]) if printed else 151
    with open_scripted(tmp_path / "home") as learner:
        kept = [step for step in learner.runs.get("long").steps if isinstance(step, ToolResult)]
        assert len(kept) >= acknowledged
        assert [step.text for step in kept] == [f"did {number}" for number in range(1, len(kept) + 1)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=True)
    assert int(done.stdout.splitlines()[0]) == len(kept) + 1
    ledger = [int(line) for line in (tmp_path / "ledger").read_text().split()]
    repeated = {number for number in ledger if ledger.count(number) > 1}
    assert repeated <= {len(kept) + 1}, "only an action that was not finished may be done again"
    with open_scripted(tmp_path / "home") as learner:
        episode = learner.record.episodes.get("long")
        assert episode.outcome.success
        assert [step.text for step in episode.steps if isinstance(step, ToolResult)] == [f"did {number}" for number in range(1, 201)]


def test_forget_takes_a_run_under_way(tmp_path: Path) -> None:
    def begin(learner: LifelongLearner, tenant: str) -> OpenRun:
        run = learner.runs.begin(task(tenant=tenant))
        run.act("the code is marzipan-4711")
        return run

    with open_scripted(tmp_path) as learner:
        run, other = begin(learner, "ann"), begin(learner, "bob")
        assert learner.forget(episode=run.id).erasure == "exact"
        with pytest.raises(NothingFound):
            run.act("more")
        assert other.act("more") == 3
        assert learner.forget(tenant="bob").erasure == "exact"
        assert learner.runs.open(tenant="bob") == []


def test_what_the_tools_show_and_the_next_turn_says_is_taken_where_nobody_has_judged(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        run = learner.runs.begin(task("a"))
        run.tool("pytest", {}, "5 passed in 0.03s")
        shown = run.finish()
        assert (shown.outcome.success, shown.outcome.judge, shown.outcome.evidence) == (True, Judge.TOOL, "5 passed in 0.03s")
        run = learner.runs.begin(task("b"))
        run.act("Done.")
        silent = run.finish()
        assert silent.outcome.success is None
        no = Task(id="c", goal="No, the other one.", session="s")
        learner.runs.begin(no, previous=silent.id)
        heard = learner.record.episodes.get(silent.id)
        assert (heard.outcome.success, heard.outcome.judge, heard.trainable) == (False, Judge.INFERRED, False)
        learner.runs.begin(no, previous=shown.id)
        assert learner.record.episodes.get(shown.id).outcome == shown.outcome, "what the tools show stands"
        assert learner.feedback(shown.id, success=False).outcome.judge is Judge.USER, "and a person may overrule it"
