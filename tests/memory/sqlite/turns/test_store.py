from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lifelong.core import UNKNOWN, Action, Episode, Judge, Observation, Outcome, Task
from lifelong.memory import Record
from lifelong.memory.sqlite.episodes import store_rewritten
from lifelong.memory.sqlite.schema import STEPS, TERM_COUNTS, TURNS
from lifelong.memory.sqlite.turns import store
from lifelong.memory.sqlite.turns.store import POSTINGS, term_number
from lifelong.memory.turns.passages import passages
from lifelong.memory.turns.terms import terms
from lifelong.perception import HashedEncoder

ENCODER = HashedEncoder()


def said(
    record: Record, text: str, *, id: str, tenant: str = "default", session: str = "s", answer: str = "", created: float = 1.0
) -> Episode:
    task = Task(id=f"t-{id}", goal=text, tenant=tenant, environment="chat", session=session)
    steps = (Observation(text=text), *((Action(text=answer),) if answer else ()))
    episode = Episode(id=id, task=task, steps=steps, outcome=UNKNOWN, created=created)
    record.episodes.record(episode, ENCODER.encode([text])[0])
    return episode


def index(record: Record) -> int:
    done = 0
    while waiting := record.turns.waiting(3):
        for sequence, episode in waiting:
            found = passages(episode)
            record.turns.add(sequence, episode, found, ENCODER.encode([one.text for one in found]))
            done += 1
    return done


def standing(record: Record, tenant: str, text: str) -> set[int]:
    return {number for postings in record.turns.lists(tenant, terms(text)).postings for number in postings.turns.tolist()}


def test_what_is_recorded_waits_and_is_indexed_once(record: Record) -> None:
    said(record, "My sister Ada lives in Bern.", id="a", answer="Bern is a fine town.")
    assert index(record) == 1
    assert index(record) == 0
    assert record.turns.count("default") == 2
    [mine, answer] = record.turns.get("default", [1, 2])
    assert (mine.speaker, answer.speaker, mine.position, answer.position) == ("user", "assistant", 0, 1)
    assert record.turns.texts("default", [1]) == {1: ("a", "My sister Ada lives in Bern.")}
    assert np.allclose(mine.vector, ENCODER.encode(["My sister Ada lives in Bern."])[0], atol=0.02)


def test_only_conversations_are_indexed(record: Record) -> None:
    task = Task(id="t", goal="SELECT the name of every planet", environment="database-v1")
    record.episodes.record(Episode(id="e", task=task, steps=(Observation(text=task.goal),), outcome=UNKNOWN), ENCODER.encode(["x"])[0])
    assert index(record) == 0


def test_no_list_holds_two_tenants(record: Record) -> None:
    said(record, "The vault word is heron.", id="a", tenant="ann")
    said(record, "The vault word is osprey.", id="b", tenant="ben")
    index(record)
    assert standing(record, "ann", "vault") == {1}
    assert standing(record, "ben", "vault") == {2}
    assert record.turns.get("ann", [1, 2])[0].number == 1
    assert record.turns.texts("ann", [2]) == {}
    assert record.turns.around("ann", [1, 2], 5) == {1}
    assert term_number("ann", "vault") != term_number("ben", "vault")


def test_an_erased_episode_leaves_no_turn_and_no_term(record: Record) -> None:
    said(record, "The vault word is heron.", id="a")
    said(record, "The garden has roses and a pond.", id="b", session="other")
    index(record)
    record.erase(["a"])
    assert standing(record, "default", "vault heron") == set()
    assert record.turns.count("default") == 1
    assert record._database.value("SELECT count(*) FROM turn_terms WHERE turn = 1") == 0
    said(record, "It waits when it goes.", id="c")
    record.erase(["c"])
    assert record.turns.waiting(5) == []


def test_a_judgement_changes_nothing_and_other_steps_are_indexed_anew(record: Record) -> None:
    episode = said(record, "The vault word is heron.", id="a")
    index(record)
    record.episodes.judge("a", Outcome(success=True, judge=Judge.USER))
    assert standing(record, "default", "heron") == {1}
    index(record)
    assert standing(record, "default", "heron") == {1}
    changed = replace(episode, steps=(Observation(text="The vault word is gone now."),))
    with record._database.transaction() as connection:
        store_rewritten(connection, changed)
    assert standing(record, "default", "heron") == set()
    assert index(record) == 1
    assert standing(record, "default", "gone") == {2}


def test_a_likelihood_that_is_no_number_in_json_stops_nothing(record: Record) -> None:
    task = Task(id="t", goal="The vault word is heron.", environment="chat", session="s")
    steps = (Observation(text=task.goal), Action(text="The heron guards this vault.", likelihood=-math.inf))
    record.episodes.record(Episode(id="a", task=task, steps=steps, outcome=UNKNOWN), ENCODER.encode([task.goal])[0])
    record.episodes.judge("a", Outcome(success=False, judge=Judge.USER), correction="No.")
    assert index(record) == 1
    assert record.turns.texts("default", [1, 2]) == {1: ("a", "The vault word is heron."), 2: ("a", "The heron guards this vault.")}
    record.erase(["a"])
    assert record.turns.count("default") == 0


def test_an_episode_that_changed_while_it_was_read_is_not_indexed_as_it_was(record: Record) -> None:
    episode = said(record, "The vault word is heron.", id="a")
    [(sequence, read)] = record.turns.waiting(1)
    with record._database.transaction() as connection:
        connection.execute("UPDATE episodes SET body = ?", (replace(episode, steps=(Observation(text="All else."),)).to_json(),))
    found = passages(read)
    record.turns.add(sequence, read, found, ENCODER.encode([one.text for one in found]))
    assert record.turns.count("default") == 0
    assert len(record.turns.waiting(1)) == 1


def test_turns_of_one_session_follow_each_other_over_episodes(record: Record) -> None:
    for number in range(4):
        said(record, f"Fact {number} about the garden.", id=str(number), session="one")
        said(record, f"Fact {number} about the harbour.", id=f"x{number}", session="two")
    index(record)
    places = [(turn.session, turn.position) for turn in record.turns.get("default", range(1, 9))]
    assert places == [("one", 0), ("one", 1), ("one", 2), ("one", 3), ("two", 0), ("two", 1), ("two", 2), ("two", 3)]
    [middle] = [turn.number for turn in record.turns.get("default", range(1, 9)) if (turn.session, turn.position) == ("one", 1)]
    around = record.turns.around("default", [middle], 1)
    assert {turn.position for turn in record.turns.get("default", around)} == {0, 1, 2}


def test_a_rare_word_weighs_more_and_an_unknown_one_the_most(record: Record) -> None:
    for number in range(20):
        said(record, f"The garden was wet on day {number}" + (" under the osprey" if number == 3 else ""), id=str(number))
    index(record)
    common, rare, unknown = record.turns.lists("default", ["garden", "osprey", "zebra"]).weights
    assert 0 < common < rare < unknown


def test_of_a_frequent_term_the_newest_are_read(record: Record) -> None:
    rows = [(term_number("default", "garden"), number, 1) for number in range(1, POSTINGS + 101)]
    said(record, "Something else was said here.", id="a")
    index(record)
    with record._database.transaction() as connection:
        connection.execute("PRAGMA defer_foreign_keys=ON")
        connection.executemany("INSERT INTO turn_terms VALUES (?, ?, ?)", rows)
        [postings] = record.turns.lists("default", ["garden"]).postings
        assert (len(postings), min(postings.turns), max(postings.turns)) == (POSTINGS, 101, POSTINGS + 100)
        connection.execute("DELETE FROM turn_terms WHERE turn > 1")


def test_an_older_record_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "record.sqlite3"
    with Record(path) as record:
        said(record, "My sister Ada lives in Bern.", id="a")
        # As the file was before turns were indexed.
        tables = [
            f"DROP TABLE {name}" for name in ("profile_lines", "pins", "unindexed", "turn_terms", "turns", "turn_counts", "term_counts")
        ]
        columns = ["DROP INDEX episodes_compared", *(f"ALTER TABLE episodes DROP COLUMN {name}" for name in ("tokens", "seconds"))]
        for statement in ("DROP TRIGGER episode_said", "DROP TRIGGER episode_changed", *tables, *columns):
            record._database._connection.execute(statement)
        record._database._connection.execute(f"PRAGMA user_version={STEPS.index(TURNS)}")
    with Record(path) as record:
        assert index(record) == 1
        assert standing(record, "default", "ada") == {1}


def test_counts_follow_the_turns(record: Record) -> None:
    said(record, "My sister Ada lives in Bern.", id="a")
    said(record, "The garden has roses and a pond.", id="b")
    index(record)
    counted = record._database.rows("SELECT turns, length FROM turn_counts")
    assert counted == record._database.rows("SELECT count(*), sum(length) FROM turns")
    counts = "SELECT * FROM term_counts ORDER BY term"
    standing_now = "SELECT term, count(*) FROM turn_terms GROUP BY term ORDER BY term"
    assert record._database.rows(counts) == record._database.rows(standing_now)
    record.erase(["a"])
    assert record._database.rows(counts) == record._database.rows(standing_now) != []
    record.erase(["b"])
    assert record._database.rows("SELECT * FROM turn_counts") == []
    assert record._database.rows(counts) == []


def test_terms_of_an_older_record_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "record.sqlite3"
    with Record(path) as record:
        for number in range(3):
            said(record, f"The garden was wet on day {number}.", id=str(number))
        index(record)
        weights = record.turns.lists("default", ["garden", "0"]).weights
        for statement in ("DROP TRIGGER term_added", "DROP TRIGGER term_removed", "DROP TABLE term_counts"):
            record._database._connection.execute(statement)
        record._database._connection.execute(f"PRAGMA user_version={STEPS.index(TERM_COUNTS)}")
    with Record(path) as record:
        assert record.turns.lists("default", ["garden", "0"]).weights == weights
        said(record, "The garden is dry.", id="later")
        index(record)
        assert record._database.value("SELECT turns FROM term_counts WHERE term = ?", (term_number("default", "garden"),)) == 4


def test_of_many_terms_the_rare_ones_are_read_whole(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        said(record, f"The garden wall stood wet near heron{number % 6} on day {number}.", id=str(number), session=str(number))
    index(record)
    monkeypatch.setattr(store, "POSTINGS_IN_ALL", 10)
    wall, heron, garden, unknown = record.turns.lists("default", ["wall", "heron1", "garden", "zebra"]).postings
    assert (set(heron.turns.tolist()), len(wall) + len(garden), len(unknown)) == ({2, 8}, 8, 0)
    assert wall.turns.tolist() == [9, 10, 11, 12], "of a frequent one the newest"


def test_a_turn_is_looked_up_by_its_number_however_many_the_tenant_has(record: Record) -> None:
    costs = []
    for count in (20, 200):
        for number in range(record.turns.count("default"), count):
            said(record, f"The garden was wet on day {number}.", id=str(number), session=str(number))
        index(record)
        with steps_of(record) as steps:
            record.turns.get("default", range(1, 11))
            record.turns.texts("default", range(1, 11))
            record.turns.around("default", range(1, 11), 2)
            record.turns.moments("default", 3)
            record.turns.episodes_of("default", 3)
        costs.append(len(steps))
    assert costs[1] <= 1.1 * costs[0]


@contextmanager
def steps_of(record: Record) -> Iterator[list[None]]:
    """One entry for each step of SQLite's machine: what queries cost, on every computer the same."""
    steps: list[None] = []
    connections = record._database._connection, record._database._reader
    for connection in connections:
        connection.set_progress_handler(lambda: steps.append(None), 1)
    yield steps
    for connection in connections:
        connection.set_progress_handler(None, 1)


def test_an_episode_that_repeats_itself_and_answers_itself_can_be_erased(record: Record) -> None:
    steps = (
        Observation(text="The garden has roses."),
        Action(text="How nice! What is the garden called?"),
        Observation(text="Eden."),
        Observation(text="The garden has roses."),
    )
    task = Task(id="t", goal="The garden has roses.", environment="chat", session="s")
    for id in ("a", "b"):
        record.episodes.record(Episode(id=id, task=task, steps=steps, outcome=UNKNOWN), ENCODER.encode(["x"])[0])
    index(record)
    record.erase(["a"])
    index(record)
    assert standing(record, "default", "eden")
    record.erase(["b"])
    assert record.turns.count("default") == 0
    assert record._database.rows("SELECT * FROM unindexed") == []
