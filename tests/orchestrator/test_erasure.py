"""Erasure as an auditor tries it: whatever was said, shown, quoted and repeated, and wherever the process dies, nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import ScriptedEngine, open_scripted
from secret_chats import Chats, echo, files_with, open_echo, planted, secret

from lifelong.core import Receipt, Task
from lifelong.memory import Record
from lifelong.orchestrator import EvaluationRow
from lifelong.orchestrator.erasure import own_words
from lifelong.orchestrator.night_lock import night_lock
from lifelong.orchestrator.run_state import PendingSleep
from lifelong.serving import ChatRequest


def test_a_chain_of_copies_is_followed_to_its_end(tmp_path: Path) -> None:
    chats, word, other = planted(tmp_path)
    record = chats.learner.record
    holders = [episode for episode in record.episodes.find(tenant="ann") if word in episode.to_json()]
    assert len(holders) > 2, "the secret went from prompt to answer to prompt"
    [receipt] = chats.forget(word)
    assert files_with(tmp_path, word) == []
    assert (receipt.erasure, receipt.found) == ("exact", ())
    assert receipt.rewritten >= len(holders) - 1
    assert receipt.searched["files"] > 0
    assert receipt.searched["texts"] > 0
    assert len(record.episodes.find(tenant="ann")) == 4, "what people asked stays"
    assert not any(episode.outcome.success for episode in record.episodes.find(tenant="ann"))
    assert files_with(tmp_path, other), "the other tenant keeps its own"
    chats.learner.close()


def test_who_quotes_an_erased_answer_in_a_request_goes_as_a_whole(tmp_path: Path) -> None:
    chats = Chats(open_scripted(tmp_path))
    code = "X7F9-KKQ2-PLM"
    chats.learner._components.engine = ScriptedEngine(lambda request: f"your code is {code}")
    first = chats.say("ann", "make me a code for the door")
    chats.say("ann", f"thanks, I wrote down {code}", goes_on=True)
    receipt = chats.learner.forget(episode=first)
    assert (receipt.episodes, receipt.derived) == (2, 1)
    assert files_with(tmp_path, code) == []
    chats.learner.close()


def test_a_run_under_way_does_not_bring_back_what_is_erased_meanwhile(tmp_path: Path) -> None:
    chats, word, _ = planted(tmp_path)
    engine = ScriptedEngine(echo)
    learner = chats.learner

    def erased_meanwhile(request: ChatRequest) -> str:
        answer = echo(request)
        with Record(tmp_path / "record.sqlite3") as other:
            other.erase(chats.given[word])
        return answer

    engine._answer = erased_meanwhile
    learner._components.engine = engine
    chats.say("ann", "tell me the vault word again")
    assert any(word in message["content"] for request in engine.requests for message in request.messages), "it had been recalled"
    assert files_with(tmp_path, word) == []
    learner.close()


def test_the_name_of_an_erased_tenant_is_nowhere(tmp_path: Path) -> None:
    chats = Chats(open_echo(tmp_path))
    chats.say("Zoë", "what is the capital of Norway")
    chats.say("Zoë", "what is the capital of Spain")
    chats.learner.sleep(tenant="Zoë")
    chats.learner.forget(episode=chats.learner.record.episodes.ids(tenant="Zoë")[0], tenant="Zoë")
    assert files_with(tmp_path, "Zoë")
    receipt = chats.learner.forget(tenant="Zoë")
    assert receipt.asked == "tenant=Zoë", "whoever asked is told what was done"
    assert files_with(tmp_path, "Zoë") == []
    assert [kept.erasure for kept in chats.learner.record.receipts.find()] == ["exact", "exact"]
    chats.learner.close()


def test_another_process_that_still_reads_is_told_of_and_the_erasure_stays_pending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifelong.memory.sqlite.record.SCRUB_SECONDS", 0.2)
    chats, word, _ = planted(tmp_path)
    with Record(tmp_path / "record.sqlite3") as reader, reader._database.snapshot():
        reader.episodes.count()
        [receipt] = chats.forget(word)
        assert (receipt.erasure, receipt.finished) == ("approximate", False)
        assert "another process" in receipt.traces[-1]
    chats.learner.close()
    with open_echo(tmp_path) as learner:
        [finished] = learner.resume()
        assert isinstance(finished, Receipt)
        assert (finished.id, finished.finished) == (receipt.id, True)
        assert files_with(tmp_path, word) == []


def test_what_a_run_noted_of_its_evaluations_loses_the_erased_text(tmp_path: Path) -> None:
    chats, word, other = planted(tmp_path)
    state = chats.learner.record.state
    state.put(EvaluationRow(tenant="ann", skill="vault", night=0, tasks=2, tokens=1, each=(True, True), answers=(f"it is {word}", "42")))
    state.put(EvaluationRow(tenant="anna", skill="vault", night=0, tasks=1, tokens=1, each=(True,), answers=(f"it is {other}",)))
    [receipt] = chats.forget(word)
    assert (receipt.erasure, receipt.found, files_with(tmp_path, word)) == ("exact", (), [])
    assert [row.answers for row in state.find(EvaluationRow)] == [("[erased]", "42"), (f"it is {other}",)]
    chats.learner.close()


def test_words_that_every_record_holds_are_no_trace_of_who_said_them(tmp_path: Path) -> None:
    words = ("published", "nothing_to_learn", "adapter_episodes", "learning_rate", "success_chance")
    with open_scripted(tmp_path) as learner:
        task = Task(id="1", goal=f"explain {', '.join(words)} and zq-unheard-of", environment="chat", skill="vault")
        receipt = learner.forget(episode=learner.wake(task).id)
        assert (receipt.erasure, receipt.found) == ("exact", ())
        assert own_words(learner.record, {*words, "zq-unheard-of"}) == set(words)


def test_what_a_dead_night_has_trained_goes_and_what_a_running_one_trains_stays(tmp_path: Path) -> None:
    chats, word, other = planted(tmp_path)
    chats.learner.record.state.put(PendingSleep(tenant="ann", skill="vault", number=1, adapter="lifelong-v0001", started=0.0))
    trained = tmp_path / "adapters" / "lifelong-v0001"
    trained.mkdir(parents=True)
    (trained / "training.json").write_text('{"recipe": {}, "report": {}}')
    with night_lock(tmp_path, "ann", lambda: None):
        chats.forget(other)
        assert trained.exists()
    chats.forget(word)
    assert not trained.exists()
    chats.learner.close()


def test_what_a_run_heard_in_the_next_turn_is_searched_for_and_goes_with_it(tmp_path: Path) -> None:
    word = secret(9)
    with open_scripted(tmp_path) as learner:
        first = learner.runs.begin(Task(id="1", goal="what is the capital of Norway", environment="chat", session="s"))
        first.act("Oslo, of course")
        first.finish()
        task = Task(id="2", goal=f"no, wrong, my word is {word}", environment="chat", session="s")
        second = learner.runs.begin(task, previous=first.id)
        second.act("I see")
        second.finish()
        assert word in learner.record.episodes.get(first.id).outcome.evidence
        receipt = learner.forget(episode=second.id)
        assert (files_with(tmp_path, word), receipt.erasure) == ([], "exact")
        assert learner.record.episodes.get(first.id).answer == "Oslo, of course"
