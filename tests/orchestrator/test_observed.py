"""Requests of somebody else's agent, put together into runs without any server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from running_gateway import EchoEngine
from scripted import open_scripted

from lifelong.core import UNKNOWN, Action, Answer, Episode, Judge, Message, Settings, StoreError, Task, Usage, tool_call
from lifelong.memory import Hints, Record, VectorIndex
from lifelong.numerics.arrays import Vector
from lifelong.orchestrator import Components, LifelongLearner
from lifelong.orchestrator.observed import ObservedRequest
from lifelong.orchestrator.open_runs import runs
from lifelong.orchestrator.run_state import OtherMemory
from lifelong.perception import HashedEncoder


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[LifelongLearner]:
    record = Record(tmp_path / "record.sqlite3")
    settings = Settings(home=tmp_path).with_values({"memory.encoder": "hashed", "wake.control_share": 0})
    components = Components(
        settings=settings,
        engine=EchoEngine(),
        encoder=HashedEncoder(),
        record=record,
        index=VectorIndex(record.index_directory),
        base_path=tmp_path,
    )
    with LifelongLearner(components) as opened:
        yield opened


def user(text: Any) -> Message:
    return {"role": "user", "content": text}


def ask(
    learner: LifelongLearner, *messages: Message, answer: str = "fine", calls: Any = (), id: str = "", late: bool = False, **hints: Any
) -> str:
    """One request and its answer; the id of the run."""
    request = ObservedRequest(messages=messages, tenant="default", hints=Hints(**hints))
    prepared = None if late else learner.observer.prepare(request)
    said = cast(Message, {"role": "assistant", "content": answer, **({"tool_calls": list(calls)} if calls else {})})
    with learner.observer.transaction():
        learner.observer.record(request, prepared, Answer(id=id, message=said, usage=Usage(completion_tokens=1)), "late")
    return prepared.episode if prepared else "late"


CALL = tool_call("look", "{}", "c1")
RESULT: Message = {"role": "tool", "content": "found", "tool_call_id": "c1"}
CALLED = cast(Message, {"role": "assistant", "content": None, "tool_calls": [CALL]})


def test_a_run_is_open_until_an_answer_calls_no_tool(learner: LifelongLearner) -> None:
    run = ask(learner, user("look it up"), answer="", calls=[CALL])
    assert [one.id for one in learner.runs.open()] == [run]
    assert ask(learner, user("look it up"), CALLED, RESULT) == run
    assert learner.runs.open() == []
    episode = learner.record.episodes.get(run)
    assert [step.name for step in episode.steps] == ["observation", "action", "tool_result", "action"]
    assert episode.usage.completion_tokens == 2


RIGHT = cast(Message, {"role": "assistant", "content": None, "tool_calls": [tool_call("look", '{"page": 7}', "c9")]})


def test_a_verdict_ends_a_run_whose_last_step_calls_a_tool(learner: LifelongLearner) -> None:
    """An agent that carries out its last call and stops never asks again: what verifies the run is all that comes."""
    run = ask(learner, user("look it up"), answer="", calls=[CALL], id="answer-1")
    judged = learner.observer.judge(tenant="default", id="answer-1", success=False, judge=Judge.VERIFIER, correction=RIGHT)
    assert learner.runs.open() == []
    assert learner.record.episodes.get(run) == judged
    assert (judged.outcome.success, judged.skill) == (False, "chat")
    assert '"page": 7' in judged.correction
    assert learner.record.episodes.count(tenant="default", skill="chat", trainable=True) == 1
    again = learner.observer.judge(tenant="default", id="answer-1", success=None, judge=Judge.VERIFIER, correction="page seven")
    assert again.correction == "page seven"
    # A client that goes on all the same is heard, in a run of its own.
    second = ask(learner, user("look it up"), CALLED, RESULT)
    assert second != run
    assert learner.record.episodes.get(second).steps[-1].text == "fine"


def test_a_night_ends_what_agents_outside_left_open(learner: LifelongLearner, monkeypatch: pytest.MonkeyPatch) -> None:
    corrected = ask(learner, user("look it up"), answer="", calls=[CALL], id="answer-1")
    silent = ask(learner, user("find it"), answer="", calls=[tool_call("look", "{}", "c2")])
    driven = learner.runs.begin(Task(id="own", goal="ours", environment="chat"), id="own").id
    learner.observer.judge(tenant="default", id="answer-1", success=None, judge=Judge.USER, correction=RIGHT)
    assert {one.id for one in learner.runs.open()} == {corrected, silent, driven}
    learner.sleep()
    assert {one.id for one in learner.runs.open()} == {silent, driven}
    assert learner.record.episodes.count(tenant="default", skill="chat", trainable=True) == 1
    monkeypatch.setattr(runs, "LEFT", -1.0)
    learner.sleep()
    assert [one.id for one in learner.runs.open()] == [driven]
    assert "nothing happened" in learner.record.episodes.get(silent).outcome.reason


def test_a_night_that_cannot_begin_is_no_failure_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(tenant: str) -> None:
        raise StoreError("the disk is full; free some space")

    with open_scripted(tmp_path, **{"sleep.every": 1}) as learner:
        monkeypatch.setattr(learner._nights, "start", fail)
        assert learner.record.episodes.get(ask(learner, user("look it up"))).answer == "fine"
        assert learner.wake(Task(id="t", goal="look it up", environment="chat")).answer == "done"
        assert learner.status().faults["sleep"] == 2


def test_a_user_who_goes_on_ends_the_run_before(learner: LifelongLearner) -> None:
    first = ask(learner, user("look it up"), answer="", calls=[CALL], session="s", rule="x")
    second = ask(learner, user("look it up"), CALLED, RESULT, user("never mind"), session="s", rule="x")
    assert learner.record.episodes.get(second).previous == first
    assert learner.runs.open() == []


def test_a_request_whose_memory_was_late_is_recorded_all_the_same(learner: LifelongLearner) -> None:
    first = ask(learner, user("a question of some length"))
    late = ask(learner, user("a question of some length"), {"role": "assistant", "content": "fine"}, user("more"), late=True)
    assert learner.record.episodes.get(late).previous == first


def test_a_history_that_nobody_has_seen_is_kept_once(learner: LifelongLearner) -> None:
    before = [user("one"), cast(Message, {"role": "assistant", "content": "two"})]
    first = ask(learner, *before, user("three"), answer="four")
    second = ask(learner, *before, user("three"), {"role": "assistant", "content": "four"}, user("five"))
    assert [step.text for step in learner.record.episodes.get(first).steps] == ["one", "two", "three", "four"]
    assert [step.text for step in learner.record.episodes.get(second).steps] == ["five", "fine"]


def test_a_run_goes_on_through_a_history_that_is_written_anew(learner: LifelongLearner) -> None:
    """What a client shows only while it compacts is kept, the summary is nobody's request, and a retry replaces the answer."""
    named = {"session": "s", "rule": "x", "turn": "t1"}
    run = ask(learner, user("look it up"), answer="", calls=[CALL], **named)
    messages = (user("look it up"), CALLED, RESULT, user("summarise this"))
    for _ in range(2):
        with learner.observer.transaction():
            learner.observer.note_results(ObservedRequest(messages=messages, tenant="default", hints=Hints(**named)))
    anew = (user("look it up"), user("a summary of what happened"))
    second = tool_call("look", '{"page": 2}', "c2")
    assert ask(learner, *anew, answer="", calls=[tool_call("look", "{}", "c0")], **named) == run
    assert ask(learner, *anew, answer="", calls=[second], **named) == run
    called = cast(Message, {"role": "assistant", "content": None, "tool_calls": [second]})
    assert ask(learner, *anew, called, {"role": "tool", "content": "more", "tool_call_id": "c2"}, **named) == run
    assert learner.runs.open() == []
    steps = learner.record.episodes.get(run).steps
    assert [step.name for step in steps] == ["observation", "action", "tool_result", "action", "tool_result", "action"]
    assert [call["id"] for step in steps if isinstance(step, Action) for call in step.tool_calls] == ["c1", "c2"]
    assert [step.text for step in steps if step.name == "tool_result"] == ["found", "more"]


def test_what_a_client_says_for_the_user_within_a_turn_begins_no_run(learner: LifelongLearner) -> None:
    named = {"session": "s", "rule": "x", "turn": "t1"}
    run = ask(learner, user("look it up"), answer="", calls=[CALL], **named)
    assert ask(learner, user("look it up"), CALLED, RESULT, user("<notification>a sub-agent is done</notification>"), **named) == run
    steps = learner.record.episodes.get(run).steps
    assert [step.name for step in steps] == ["observation", "action", "tool_result", "observation", "action"]


def test_a_task_is_what_the_person_says_not_what_the_client_adds(learner: LifelongLearner) -> None:
    added = "<system-reminder>You have forty skills.</system-reminder>\n"
    goal = learner.record.episodes.get(ask(learner, user(f"{added}look it up"))).task.goal
    assert goal == "look it up"
    assert learner.record.episodes.get(ask(learner, user(added.strip()))).task.goal == added.strip()


def test_another_turn_is_another_run_and_results_of_nobodys_call_are_kept_nowhere(learner: LifelongLearner) -> None:
    first = ask(learner, user("look it up"), answer="", calls=[CALL], session="s", rule="x", turn="t1")
    assert ask(learner, user("look it up"), user("a summary"), user("and now?"), session="s", rule="x", turn="t2") != first
    for messages in ((user("x"),), (user("x"), CALLED, RESULT), (user("look it up"), CALLED, user("?"), RESULT)):
        with learner.observer.transaction():
            learner.observer.note_results(ObservedRequest(messages=messages, tenant="default", hints=Hints(session="s", rule="x")))
    assert [step.name for step in learner.record.episodes.get(first).steps] == ["observation", "action"]


def test_what_may_be_a_strangers_is_not_learned_from(learner: LifelongLearner) -> None:
    for number in range(3):
        ask(learner, user("hello"), id=f"a{number}")
    greeted = [user("hello"), cast(Message, {"role": "assistant", "content": "fine"})]
    unsure = ask(learner, *greeted, user("mine"), id="b")
    learner.observer.judge(tenant="default", id="b", success=True, judge=Judge.VERIFIER)
    episode = learner.record.episodes.get(unsure)
    assert episode.outcome.verified
    assert not episode.trainable


def test_a_picture_alone_is_a_task(learner: LifelongLearner) -> None:
    run = ask(learner, user([{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]))
    assert learner.record.episodes.get(run).task.goal == "[image]"


def test_ten_times_longer_runs_cost_no_more_for_each_step(learner: LifelongLearner) -> None:
    messages = [user("a long run")]
    for number in range(40):
        call = tool_call("look", f'{{"n": {number}}}', f"c{number}")
        run = ask(learner, *messages, answer="", calls=[call], session="s", rule="x")
        messages += [
            cast(Message, {"role": "assistant", "content": "", "tool_calls": [call]}),
            {"role": "tool", "content": f"result {number}", "tool_call_id": f"c{number}"},
        ]
    assert learner.runs.get(run).position == 1 + 39 * 2 + 1
    rows = learner.record._database.rows("SELECT count(*), sum(length(body)) FROM run_steps")
    assert rows[0][0] == 80
    assert rows[0][1] < 80 * 400


def test_text_of_another_memory_is_noticed_and_is_no_statement(learner: LifelongLearner) -> None:
    block = "<hindsight_memories>\nThe user's sister Ada lives in Bern.\n</hindsight_memories>"
    system = cast(Message, {"role": "system", "content": "Relevant memories:\n- The user's dog is called Rex.\n"})
    run = ask(learner, system, user(f"{block}\nMy garden has roses and a pond."))
    assert learner.record.episodes.get(run).other_memories == ("hindsight",)
    assert learner.record.episodes.get(ask(learner, system, user("something else"))).other_memories == ("unnamed",)
    assert learner.record.episodes.get(ask(learner, user("nothing of it"))).other_memories == ()
    counted = {one.id: one.runs for one in learner.record.state.find(OtherMemory, tenant="default")}
    assert counted == {"hindsight": 1, "unnamed": 1}
    learner._components.turns.finish()
    said = [one.text for one in learner.recall("Who lives in Bern, what is the dog called, and what has the garden?")]
    assert any("roses" in text for text in said)
    assert not any("Ada" in text or "Rex" in text for text in said)


def test_a_session_begins_with_the_profile_and_shows_it_once(learner: LifelongLearner) -> None:
    ask(learner, user("I prefer metric units."), session="one", rule="x")
    learner.sleep()
    planets, moons = user("Name three planets."), user("Name three moons.")

    def blocks(*messages: Message) -> dict[int, str]:
        request = ObservedRequest(messages=messages, tenant="default", hints=Hints(session="two", rule="x"))
        return dict(learner.observer.prepare(request).blocks)

    first = blocks(planets)
    assert "The user said" in first[0]
    assert "I prefer metric units." in first[0]
    ask(learner, planets, session="two", rule="x")
    answered: Message = {"role": "assistant", "content": "fine"}
    assert blocks(planets, answered, moons) == first, "beside the first turn as it was, and not again"


def test_a_run_that_its_answer_ends_is_recorded_at_once_and_the_same(learner: LifelongLearner, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = learner.record._database._connection
    system: Message = {"role": "system", "content": "be brief"}

    def recorded(text: str) -> tuple[int, Episode]:
        statements: list[str] = []
        for one in (connection, learner.record._database._reader):
            one.set_trace_callback(statements.append)
        run = ask(learner, system, user(text), answer="error: it is 7", late=True)
        for one in (connection, learner.record._database._reader):
            one.set_trace_callback(None)
        # A new row is one statement, and one more for each of its triggers.
        written = [one for one in statements if not one.startswith("INSERT INTO episodes")]
        episode = learner.record.episodes.get(run)
        with learner.record.transaction():
            connection.execute("DELETE FROM episodes WHERE id = ?", (run,))
        return len(written), replace(episode, created=0.0, task=replace(episode.task, id="t", session="s"))

    recorded("first")  # what is read once for all
    few, whole = recorded("what is it?")
    monkeypatch.setattr(learner.record.open_runs, "record_ended", lambda *given: False)
    many, opened = recorded("what is it?")
    assert whole == opened
    assert [step.name for step in whole.steps] == ["observation", "action"]
    assert whole.usage.completion_tokens == 1
    assert few < 20
    assert few < many - 10


def test_a_whole_run_whose_id_is_taken_is_none(learner: LifelongLearner) -> None:
    ask(learner, user("look it up"), answer="", calls=[CALL])
    [opened] = learner.runs.open()
    episode = Episode(id=opened.id, task=opened.task, steps=(), outcome=UNKNOWN)
    vector = learner.record.open_runs.vector(opened.id)
    assert not learner.record.open_runs.record_ended(episode, vector)
    opened.finish()
    assert not learner.record.open_runs.record_ended(episode, vector)
    assert not learner.record.open_runs.record_ended(replace(episode, id="new", lessons=("erased",)), vector), "what it was shown is gone"
    assert learner.record.open_runs.record_ended(replace(episode, id="new"), vector)
    assert learner.record.episodes.get("new").task == opened.task


def test_what_a_request_says_is_read_once_and_gone_from_memory_with_its_erasure(learner: LifelongLearner) -> None:
    encoder = learner._components._recent
    read: list[str] = []

    class Counting(HashedEncoder):
        def encode(self, texts: Sequence[str]) -> Vector:
            read.extend(texts)
            return super().encode(texts)

    encoder._encoder = Counting()
    run = ask(learner, user("my bicycle is green"), answer="my bicycle is green")
    learner._components.turns.finish()
    assert read == ["my bicycle is green"]
    found = learner._components.turns.search("which colour has my bicycle", tenant="default", limit=5)
    assert {(one.speaker, one.text) for one in found} == {("user", "my bicycle is green"), ("assistant", "my bicycle is green")}
    learner.forget(episode=run)
    assert not encoder._kept
