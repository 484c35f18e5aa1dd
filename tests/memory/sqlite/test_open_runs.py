"""Runs under way: each step durable and stored once, at a cost that does not grow; an erasure reaches them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from lifelong.core import (
    Action,
    Episode,
    Judge,
    MalformedTask,
    NothingFound,
    Observation,
    Outcome,
    Recall,
    Step,
    Task,
    Thought,
    ToolCall,
    ToolResult,
    Usage,
)
from lifelong.memory import Record

VECTOR = np.ones(8, dtype=np.float32)


def a_run(id: str = "run", *, tenant: str = "default", session: str = "s", steps: tuple[Step, ...] = (), goal: str = "route it") -> Episode:
    task = Task(id=f"task-{id}", goal=goal, tenant=tenant, session=session)
    return Episode(id=id, task=task, steps=(Observation(text=goal), *steps), outcome=Outcome(success=None), created=time.time())


def turn(number: int) -> list[Step]:
    return [Action(text=f"step {number}"), ToolResult(text=f"result {number}")]


def test_steps_are_kept_in_order_and_read_again(record: Record) -> None:
    assert record.open_runs.begin(a_run(), VECTOR)
    assert record.open_runs.append("run", turn(0), Usage(prompt_tokens=3, completion_tokens=2)) == 3
    assert record.open_runs.append("run", turn(1), Usage(prompt_tokens=4, completion_tokens=1)) == 5
    run = record.open_runs.get("run")
    assert [step.text for step in run.steps] == ["route it", "step 0", "result 0", "step 1", "result 1"]
    assert (run.usage.prompt_tokens, run.usage.completion_tokens) == (7, 3)
    assert record.open_runs.last("run", 2) == tuple(turn(1))
    assert record.open_runs.first("run", 1) == (Observation(text="route it"),)
    assert record.episodes.count(tenant="default") == 0, "no episode until it ends"


def test_a_run_begins_once(record: Record) -> None:
    assert record.open_runs.begin(a_run(), VECTOR)
    record.open_runs.append("run", turn(0))
    assert not record.open_runs.begin(a_run(), VECTOR)
    assert record.open_runs.length("run") == 3
    record.open_runs.finish(record.open_runs.get("run"))
    assert not record.open_runs.begin(a_run(), VECTOR), "it has ended"


def test_what_is_not_open_is_named(record: Record) -> None:
    for call in (
        lambda: record.open_runs.append("none", turn(0)),
        lambda: record.open_runs.get("none"),
        lambda: record.open_runs.vector("none"),
    ):
        with pytest.raises(NothingFound, match="none"):
            call()
    record.open_runs.discard("none")


def test_a_retry_replaces_what_stood_there(record: Record) -> None:
    record.open_runs.begin(a_run(), VECTOR)
    record.open_runs.append("run", turn(0))
    record.open_runs.truncate("run", 1)
    assert record.open_runs.append("run", turn(7)) == 3
    assert [step.text for step in record.open_runs.get("run").steps] == ["route it", "step 7", "result 7"]


def test_finishing_moves_the_run_into_one_episode(record: Record) -> None:
    record.open_runs.begin(a_run(), VECTOR)
    record.open_runs.append("run", turn(0))
    episode = record.open_runs.get("run")
    record.open_runs.finish(episode)
    assert record.episodes.get("run") == episode
    assert record.open_runs.ids() == []
    assert record._database.value("SELECT count(*) FROM run_steps") == 0, "stored once"
    np.testing.assert_array_equal(record.episodes.vectors(tenant="default")[1], VECTOR[None])


def test_an_outcome_waits_with_the_run(record: Record) -> None:
    record.open_runs.begin(a_run(), VECTOR)
    record.open_runs.judge("run", Outcome(success=False, judge=Judge.TOOL, evidence="exit code 1"))
    record.open_runs.judge("run", Outcome(success=True, judge=Judge.USER))
    with pytest.raises(MalformedTask, match="user"):
        record.open_runs.judge("run", Outcome(success=False, judge=Judge.INFERRED))
    assert record.open_runs.head("run").outcome.judge is Judge.USER


def test_ten_thousand_steps_cost_no_more_each_than_ten(record: Record) -> None:
    record.open_runs.begin(a_run(), VECTOR)

    def operations(count: int) -> int:
        """Instructions of SQLite's machine, which no other load on the computer changes."""
        connections, done = (record._database._connection, record._database._reader), 0

        def tick() -> int:
            nonlocal done
            done += 1
            return 0

        for connection in connections:
            connection.set_progress_handler(tick, 1)
        for number in range(count):
            record.open_runs.append("run", turn(number))
        for connection in connections:
            connection.set_progress_handler(None, 0)
        return done

    first = operations(10)
    with record.transaction():
        for number in range(5000):
            record.open_runs.append("run", turn(number))
    assert record.open_runs.length("run") > 10_000
    assert operations(10) < 1.5 * first


def test_sessions_are_listed_newest_first(record: Record) -> None:
    for number, session in enumerate(("a", "b", "a", "")):
        record.episodes.record(a_run(f"episode-{number}", session=session), VECTOR)
    record.episodes.record(a_run("other", tenant="ann", session="c"), VECTOR)
    assert [(id, count) for id, count, _ in record.episodes.sessions("default", 10)] == [("a", 2), ("b", 1)]
    assert [episode.id for episode in record.episodes.of_session("default", "a")] == ["episode-0", "episode-2"]
    assert record.episodes.of_session("ann", "a") == []
    wanted = "SELECT body FROM episodes WHERE tenant = 'a' AND session = 'b' AND session != '' ORDER BY sequence"
    plan = " ".join(row[3] for row in record._database.rows(f"EXPLAIN QUERY PLAN {wanted}"))
    assert "episodes_by_session" in plan


SECRET = "the vault opens with marzipan-4711"


def test_a_tenants_erasure_takes_runs_under_way(record: Record, tmp_path: Path) -> None:
    for tenant in ("ann", "bob"):
        record.open_runs.begin(a_run(f"run-{tenant}", tenant=tenant, goal=f"{tenant}: {SECRET}"), VECTOR)
        record.open_runs.append(f"run-{tenant}", [Action(text=f"{tenant} heard {SECRET}")])
    before = record.open_runs.get("run-bob")
    assert record.erase(record.open_runs.ids(tenant="ann")).episodes == 1
    assert record.open_runs.ids() == ["run-bob"]
    assert record.open_runs.get("run-bob") == before
    assert not record.knows("ann")
    assert all(b"ann heard" not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_an_erasure_reaches_what_a_run_under_way_was_shown(record: Record) -> None:
    record.episodes.record(a_run("first", steps=(Action(text=SECRET),), goal="how does the vault open?"), VECTOR)
    shown = Recall(text=f"Example: how does the vault open?\n-> {SECRET}", episodes=("first",))
    record.open_runs.begin(a_run("second", steps=(shown,), goal="open the vault for me"), VECTOR)
    record.open_runs.append("second", [Action(text="I say marzipan-4711"), ToolResult(text="it opens")], Usage(prompt_tokens=5))
    record.open_runs.begin(a_run("third", goal="something else entirely"), VECTOR)
    erased = record.erase(["first"])
    assert erased.rewritten == ("second",)
    left = record.open_runs.get("second")
    assert "marzipan" not in left.to_json()
    assert "first" not in left.to_json()
    assert (left.task.goal, len(left.steps), left.usage.prompt_tokens) == ("open the vault for me", 4, 5)
    assert record.open_runs.append("second", turn(1)) == 6, "the run goes on"
    assert record.open_runs.ids() == ["second", "third"]
    assert record.episodes.count(tenant="default") == 0


def test_an_erasure_reaches_a_run_that_goes_on_from_an_episode(record: Record) -> None:
    record.episodes.record(a_run("first", steps=(Action(text=SECRET),), goal="how does the vault open?"), VECTOR)
    later = Episode(
        id="second",
        task=Task(id="t", goal="and the safe?"),
        steps=(Observation(text="and the safe?"), Action(text="the same way: marzipan")),
        outcome=Outcome(success=True, judge=Judge.USER),
        previous="first",
    )
    record.episodes.record(later, VECTOR)
    record.erase(["first"])
    left = record.episodes.get("second")
    assert (left.previous, left.answer, left.outcome.success) == ("", "", None)


def test_texts_are_found_in_runs_under_way(record: Record) -> None:
    record.open_runs.begin(a_run("run", goal="plain"), VECTOR)
    record.open_runs.append("run", [Action(text=f"hidden: {SECRET}")])
    assert [episode.id for episode in record.find_text("marzipan-4711")] == ["run"]
    record.erase_copies([SECRET], ["run"])
    assert record.find_text("marzipan-4711") == []
    assert record.open_runs.length("run") == 2


def test_a_renamed_skill_is_renamed_in_runs_under_way(record: Record) -> None:
    from dataclasses import replace

    record.open_runs.begin(replace(a_run(), skill="old"), VECTOR)
    record.rename_skill("default", "old", "new")
    assert record.open_runs.get("run").skill == "new"
    assert record.open_runs.ids(skill="new") == ["run"]


WRITER = """
    import sys, time
    import numpy as np
    from lifelong.core import Action, Episode, Observation, Outcome, Task, ToolResult
    from lifelong.memory import Record

    record = Record(sys.argv[1])
    task = Task(id="t", goal="many steps")
    head = Episode(id="run", task=task, steps=(Observation(text=task.goal),), outcome=Outcome(success=None), created=1.0)
    record.open_runs.begin(head, np.ones(8, dtype=np.float32))
    while True:
        number = record.open_runs.length("run")
        record.open_runs.append("run", [Action(text=f"step {number}"), ToolResult(text=f"result {number}")])
        print(number, flush=True)
"""


def test_what_was_acknowledged_of_a_run_survives_kills(tmp_path: Path) -> None:
    file, draw, newest = tmp_path / "record.sqlite3", random.Random(3), 0
    for _ in range(3):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}) as child:
            assert child.stdout is not None
            newest = max(newest, int(child.stdout.readline()))
            time.sleep(draw.uniform(0, 0.1))
            child.kill()
            newest = max([newest, *(int(line) for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n"))])
        with Record(file) as record:
            steps = record.open_runs.get("run").steps
            assert len(steps) >= newest + 2
            assert len(steps) % 2 == 1, "an action and its result are kept together"
            assert [step.text for step in steps[1::2]] == [f"step {number}" for number in range(1, len(steps), 2)]


def shown_then_erased(record: Record) -> None:
    record.episodes.record(a_run("first", steps=(Action(text=SECRET),), goal="how does the vault open?"), VECTOR)
    shown = Recall(text=f"Example: how does the vault open?\n-> {SECRET}", episodes=("first",))
    record.open_runs.begin(a_run("second", steps=(shown,), goal="open the vault for me"), VECTOR)
    record.erase(["first"])


def test_a_run_whose_agent_still_holds_what_was_erased_brings_nothing_back(record: Record, tmp_path: Path) -> None:
    shown_then_erased(record)
    call = ToolCall(id="call_0", type="function", function={"name": "open", "arguments": '{"word": "marzipan-4711"}'})
    spoken = [Action(text="I say marzipan-4711", tool_calls=(call,)), ToolResult(text="marzipan-4711 opens it", tool_call_id="call_0")]
    assert record.open_runs.append("second", spoken, Usage(prompt_tokens=3)) == 4
    record.open_runs.append("second", [Thought(text="marzipan-4711 it was"), Observation(text="thank you")])
    judged = Outcome(success=True, judge=Judge.USER, reason="marzipan-4711 worked", evidence="marzipan-4711")
    record.open_runs.judge("second", judged, "say marzipan-4711")
    record.open_runs.finish(record.open_runs.get("second"))
    left = record.episodes.get("second")
    assert "marzipan" not in left.to_json()
    assert b"marzipan" not in b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert [step.text for step in left.steps if isinstance(step, Observation)] == ["open the vault for me", "thank you"], (
        "what people said stays"
    )
    assert (left.usage.prompt_tokens, left.trainable, left.outcome.success) == (3, False, None)


def test_a_run_that_begins_with_what_was_erased_meanwhile_brings_nothing_back(record: Record) -> None:
    record.episodes.record(a_run("first", steps=(Action(text=SECRET),), goal="how does the vault open?"), VECTOR)
    shown = Recall(text=f"Example: how does the vault open?\n-> {SECRET}", episodes=("first",))
    record.erase(["first"])
    record.open_runs.begin(a_run("second", steps=(shown,), goal="open the vault for me"), VECTOR)
    record.open_runs.append("second", [Action(text="I say marzipan-4711")])
    assert "marzipan" not in record.open_runs.get("second").to_json()
    assert "first" not in record.open_runs.get("second").to_json()


def test_a_turn_after_one_without_words_keeps_its_answer(record: Record) -> None:
    record.episodes.record(a_run("first", steps=(Action(text=""),), goal="call the tool, please"), VECTOR)
    for number in (1, 2):
        later = Episode(
            id=f"later-{number}",
            task=Task(id="t", goal="and the safe?"),
            steps=(Observation(text="and the safe?"), Action(text="It opens with a key")),
            outcome=Outcome(success=None),
            previous="first",
        )
        record.episodes.record(later, VECTOR)
        assert record.episodes.get(f"later-{number}") == later


def test_a_file_from_before_runs_opens_and_its_sessions_are_known(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    from lifelong.memory.sqlite.schema import RUNS, STEPS, add_functions

    file, before = tmp_path / "record.sqlite3", STEPS.index(RUNS)
    with closing(sqlite3.connect(file)) as older, older:
        add_functions(older)
        for statement in (statement for step in STEPS[:before] for statement in step):
            older.execute(statement)
        columns = "id, tenant, skill, environment, trusted, trainable, control, offered, body"
        for id, body in (("kept", a_run("kept", session="s").to_json()), ("plain", a_run("plain", session="").to_json()), ("torn", "{")):
            older.execute(f"INSERT INTO episodes ({columns}) VALUES (?, 'default', '', '', 0, 0, 0, 0, ?)", (id, body))
        older.execute(f"PRAGMA user_version={before}")
    with Record(file) as record:
        assert [episode.id for episode in record.episodes.of_session("default", "s")] == ["kept"]
        assert [(id, count) for id, count, _ in record.episodes.sessions("default", 10)] == [("s", 1)]
        assert record.open_runs.ids() == []
