"""`status` and `show`: where the record is, how large, what is unfinished, what failed, and one episode whole."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lifelong.core import Action, Episode, Judge, Observation, Outcome, Task, Usage, Verdict
from lifelong.interfaces.cli import app
from lifelong.memory import PendingErasure, Record
from lifelong.orchestrator.run_state import Night, NightState, PendingSleep, SleepReport, Withdrawn, count_fault, count_other_memories


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with Record(tmp_path / "record.sqlite3") as record:
        for tenant in ("default", "ann"):
            episode = Episode(
                id=f"{tenant}-1",
                task=Task(id="t", goal="count the rows", instructions="be brief", tenant=tenant, environment="chat"),
                steps=(Observation(text="count the rows"), Action(text="seven\nrows")),
                outcome=Outcome(success=False, score=0.25, judge=Judge.USER, reason="there are eight"),
                skill="counting",
                model="small",
                correction="eight rows",
                verdict=Verdict(skill="counting", known=True, novelty=0.125, confidence=0.9, success_chance=0.75),
                usage=Usage(prompt_tokens=12, completion_tokens=3),
            )
            record.episodes.record(episode, np.eye(2, dtype=np.float32)[0])
        record.state.put(
            Night(tenant="default", id="n1", pid=1, host="h", started=1.0, state=NightState.FAILED, reason="no disk", ended=2.0)
        )
        report = SleepReport(
            tenant="default",
            skill="counting",
            number=1,
            adapter="",
            published=False,
            reason="too few held-out tasks",
            lessons=0,
            samples=0,
            replayed=0,
            loss=(),
            gate=(),
            state=NightState.REJECTED,
            ended=86_400.0,
        )
        record.state.put(report)
        for _ in range(3):
            count_fault(record, "recall", ValueError("words that somebody said"))
    return tmp_path


def output(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_status_says_where_how_large_what_failed_and_why(home: Path) -> None:
    text = output("status", "--home", str(home))
    lines = {line[:12].strip(): line[12:] for line in text.splitlines()}
    assert lines["record"].startswith(str(home / "record.sqlite3"))
    assert lines["fault"].startswith("recall: 3 times, last ValueError")
    assert lines["last night"] == "failed, 1970-01-01 00:00 UTC; no disk"
    assert lines["night"] == "counting: rejected, 1970-01-02 00:00 UTC; too few held-out tasks"
    assert "somebody said" not in text


def test_status_for_programs_holds_the_same(home: Path) -> None:
    with Record(home / "record.sqlite3") as record:
        record.state.put(PendingSleep(tenant="default", skill="counting", number=2, adapter="lifelong-v0001", started=3.0))
    found = json.loads(output("status", "--home", str(home), "--json"))
    assert found["bytes"]["home"] >= found["bytes"]["record"] >= (home / "record.sqlite3").stat().st_size > 0
    assert (found["episodes"], found["unknown"], found["skills"]) == (1, 0, {"counting": {"episodes": 1, "adapter": ""}})
    assert [one["adapter"] for one in found["pending_nights"]] == ["lifelong-v0001"]
    assert found["last_night"]["reason"] == "no disk"
    [fault] = found["faults"]
    assert (fault["id"], fault["count"], fault["error"]) == ("recall", 3, "ValueError")


def test_another_tenants_status_shows_its_own_nights(home: Path) -> None:
    found = json.loads(output("status", "--home", str(home), "--tenant", "ann", "--json"))
    assert (found["episodes"], found["last_night"], found["last_skill_nights"]) == (1, None, [])


def test_a_pending_erasure_is_counted_and_does_not_say_what_it_erases(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lifelong.interfaces.commands.status import describe, lines

    with Record(home / "record.sqlite3") as record:
        record.erasures.put(PendingErasure(id="r1", asked="tenant=Zoe", ids=("default-1",), rebuild=False))
        from lifelong.core import Settings

        shown = "\n".join(lines(describe(record, Settings(home=home), "default")))
    assert "r1: not finished, 1 episodes" in shown
    assert "Zoe" not in shown


def test_show_tells_one_episode_whole(home: Path) -> None:
    text = output("show", "default-1", "--home", str(home))
    for said in (
        "outcome     failure, score 0.25, judged by user",
        "reason      there are eight",
        "perceived   known, novelty 0.125, chance of success 0.75",
        "tokens      12 read, 3 written",
        "\nobservation\n  count the rows",
        "\naction\n  seven\n  rows",
        "\ncorrection\n  eight rows",
        "\ninstructions\n  be brief",
    ):
        assert said in text
    assert Episode.from_json(json.dumps(json.loads(output("show", "default-1", "--home", str(home), "--json")))).answer == "seven\nrows"


def test_show_keeps_tenants_apart(home: Path) -> None:
    assert "seven" in output("show", "ann-1", "--tenant", "ann", "--home", str(home))
    for words in (["ann-1"], ["default-1", "--tenant", "ann"], ["nobody"]):
        result = CliRunner().invoke(app, ["show", *words, "--home", str(home)])
        assert result.exit_code != 0
        assert "has no episode" in str(result.exception)
        assert "seven" not in result.output


def test_status_names_the_phase_of_a_running_night_and_sees_that_its_process_is_gone(home: Path) -> None:
    def last(pid: int) -> str:
        night = Night(tenant="default", id="n2", pid=pid, host=socket.gethostname(), started=86_400.0, phase="consolidate")
        with Record(home / "record.sqlite3") as record:
            record.state.put(night)
        text = output("status", "--home", str(home))
        return next(line[12:] for line in text.splitlines() if line.startswith("last night"))

    assert last(os.getpid()) == "running (consolidate), since 1970-01-02 00:00 UTC"
    assert last(2**22 + 1).startswith("failed (consolidate), since 1970-01-02 00:00 UTC; process 4194305 ended before")


def test_what_memory_does_is_shown_with_its_interval_and_what_was_withdrawn(home: Path) -> None:
    with Record(home / "record.sqlite3") as record:
        for number in range(24):
            arm = {"control": number % 3 == 1, "placebo": number % 3 == 2}
            outcome = Outcome(success=number % 3 == 0, judge=Judge.USER)
            episode = Episode(
                id=f"e{number}",
                task=Task(id=f"t{number}", goal="count", environment="chat", session=f"s{number}"),
                steps=(),
                outcome=outcome,
                skill="counting",
                offered=True,
                usage=Usage(prompt_tokens=10 + number, seconds=1.5),
                **arm,
            )
            record.episodes.record(episode, np.eye(2, dtype=np.float32)[0])
        record.state.put(Withdrawn(tenant="default", skill="counting", reason="0% of 8 runs succeeded with it", created=1.0))
        count_other_memories(record, "default", ["hindsight"])
    text = output("status", "--home", str(home))
    assert "on success: +1.000 against control, 95 % interval +0.5" in text
    assert "on tokens of a run: -1 against control, 95 % interval" in text
    assert "against placebo" in text
    assert "counting: 0% of 8 runs succeeded with it, 1970-01-01" in text
    assert "text of another memory (hindsight) stood in 1 runs" in text
    shown = json.loads(output("status", "--home", str(home), "--json"))
    assert shown["effect"]["withdrawn"][0]["skill"] == "counting"
    assert {one["arm"] for one in shown["effect"]["tenant"]} == {"control", "placebo"}
