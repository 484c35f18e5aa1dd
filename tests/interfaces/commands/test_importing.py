"""`lifelong import`: conversations in three forms, once each; a file with a mistake leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lifelong.core import DataMalformed
from lifelong.interfaces.cli import app
from lifelong.interfaces.commands.importing import read_chats
from lifelong.memory import Record

OPENAI = {"messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "My sister Ada lives in Bern."}]}
OPENAI["messages"] += [{"role": "assistant", "content": "Nice."}, {"role": "user", "content": "And Bob?"}]
SHARED = {"conversations": [{"from": "human", "value": "The vault word is heron."}, {"from": "gpt", "value": "Noted."}]}
PAIR = {"prompt": "2 + 2", "completion": "4"}


def written(path: Path, *chats: object, listed: bool = False) -> Path:
    file = path / "chats.json"
    file.write_text(json.dumps(chats) if listed else "".join(json.dumps(one) + "\n\n" for one in chats))
    return file


def imported(path: Path, file: Path, *more: str) -> str:
    command = ["import", str(file), "--home", str(path / "home"), "--set", "memory.encoder=hashed", *more]
    result = CliRunner().invoke(app, command)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("listed", [False, True])
def test_every_form_is_found_by_itself_and_remembered_once(tmp_path: Path, listed: bool) -> None:
    file = written(tmp_path, OPENAI, SHARED, PAIR, PAIR, listed=listed)
    assert "4 conversations read, 4 episodes recorded" in imported(tmp_path, file)
    assert "0 episodes recorded; all others stood in the record" in imported(tmp_path, file)
    with Record(tmp_path / "home" / "record.sqlite3") as record:
        episodes = record.episodes.find(tenant="default")
        assert [one.task.goal for one in episodes] == ["My sister Ada lives in Bern.", "And Bob?", "The vault word is heron.", "2 + 2"]
        first, second = episodes[:2]
        assert (first.task.instructions, first.answer, second.answer) == ("be brief", "Nice.", "")
        assert (second.previous, second.task.session) == (first.id, first.task.session)
        assert not any(one.trainable or one.outcome.success is not None for one in episodes)
        assert record.turns.count("default") == len(record.turns.newest("default", 20)) >= 3
        assert record.turns.waiting(1) == []
    flags = ["--home", str(tmp_path / "home"), "--set", "memory.encoder=hashed", "--json"]
    found = CliRunner().invoke(app, ["memory", "search", "where does my sister live?", *flags])
    assert json.loads(found.output)[0]["text"] == "My sister Ada lives in Bern."


def test_session_and_time_are_taken_over_and_tenants_kept_apart(tmp_path: Path) -> None:
    file = written(tmp_path, {**PAIR, "id": "talk-7", "create_time": 1700000000.5})
    imported(tmp_path, file, "--tenant", "ann")
    imported(tmp_path, file, "--tenant", "bob")
    with Record(tmp_path / "home" / "record.sqlite3") as record:
        [ann], [bob] = record.episodes.find(tenant="ann"), record.episodes.find(tenant="bob")
        assert (ann.task.session, ann.created) == ("talk-7", 1700000000.5)
        assert ann.id != bob.id


def test_calls_of_tools_and_their_results_are_steps(tmp_path: Path) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages = [{"role": "assistant", "content": "Hello."}, {"role": "user", "content": "look it up"}]
    messages += [{"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c1", "content": "found"}]  # type: ignore[dict-item,list-item]
    imported(tmp_path, written(tmp_path, {"messages": [*messages, {"role": "assistant", "content": "Found."}]}))
    with Record(tmp_path / "home" / "record.sqlite3") as record:
        [episode] = record.episodes.find(tenant="default")
        assert [step.name for step in episode.steps] == ["action", "observation", "action", "tool_result", "action"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "no conversation"),
        (b"\n \n", "no conversation"),
        (b"[]", "no conversation"),
        (b"{bad", "line 1 is no JSON"),
        (b"[1, 2", "no JSON list"),
        (b"7\n", "line 1: this is no JSON object"),
        (b"[[]]", "entry 1: this is no JSON object"),
        (b'{"text": "hello"}', "no messages"),
        (b'{"messages": []}', "no message is a user"),
        (b'{"messages": [{"role": "assistant", "content": "hi"}]}', "no message is a user"),
        (b'{"messages": [{"role": "king", "content": "hi"}]}', "line 1"),
        (b'{"messages": [{"role": "user", "content": 7}]}', "line 1"),
        (b'{"messages": ["hi"]}', "line 1"),
        (b'{"conversations": [{"value": "hi"}]}', "`from`"),
        (b'{"conversations": [{"from": "human"}]}', "line 1"),
        (b'{"prompt": "half \\ud800", "completion": "x"}', "surrogate"),
        (b'{"prompt": "\xff", "completion": "x"}', "UTF-8"),
        (b"[" * 100_000, "no JSON list"),
        (b'{"prompt": "good", "completion": "x"}\n{"prompt": 1}', "line 2"),
    ],
)
def test_what_is_no_conversation_is_named_with_its_place_and_nothing_is_recorded(tmp_path: Path, text: bytes, says: str) -> None:
    file = tmp_path / "chats.jsonl"
    file.write_bytes(text)
    with pytest.raises(DataMalformed) as caught:
        imported(tmp_path, file)
    assert says in str(caught.value)
    assert not (tmp_path / "home").exists()


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    file = tmp_path / "chats.jsonl"
    file.write_text(json.dumps({**PAIR, "prompt": "one\u2028two\x0bthree"}, ensure_ascii=False), encoding="utf-8-sig")
    [chat] = read_chats(file)
    assert chat.messages[0]["content"] == "one\u2028two\x0bthree"


def test_odd_times_and_names_are_passed_over(tmp_path: Path) -> None:
    odd = [{"created": True}, {"created": "soon"}, {"created": -1}, {"created": 1e300}, {"id": 7}, {"session": " "}]
    chats = list(read_chats(written(tmp_path, *({**PAIR, **one} for one in odd))))
    assert {(chat.created, chat.session) for chat in chats} == {(None, "")}
