"""Conversations of before: one run for each turn of a user, under ids that follow from the content."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lifelong.core import Message, Settings, SettingsError
from lifelong.orchestrator.open_runs import imports
from lifelong.orchestrator.open_runs.imports import Chat, episodes_of, import_chats


def chat(*texts: str) -> Chat:
    roles = ("user", "assistant")
    return Chat(messages=tuple(Message(role=roles[number % 2], content=text) for number, text in enumerate(texts)), created=1e9)  # type: ignore[arg-type]


def settings(home: Path, encoder: str = "hashed") -> Settings:
    return Settings(home=home).with_values({"memory.encoder": encoder})


def test_the_same_conversation_is_the_same_runs_and_a_longer_one_has_more() -> None:
    short, long = episodes_of(chat("a", "b"), "ann"), episodes_of(chat("a", "b", "c", "d"), "ann")
    assert episodes_of(chat("a", "b"), "ann") == short
    assert len({one.id for one in [*short, *long, *episodes_of(chat("a", "b"), "bob")]}) == 4
    assert [one.previous for one in long] == ["", long[0].id]
    assert long[0].created < long[1].created


def test_many_are_taken_in_parts_and_an_import_that_was_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "BATCH", 3)
    chats = [chat(f"fact {number}", "ok") for number in range(8)]

    def cut() -> Iterator[Chat]:
        yield from chats[:5]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_chats(settings(tmp_path), cut(), tenant="ann")
    done_then: list[int] = []
    done = import_chats(settings(tmp_path), chats, tenant="ann", progress=done_then.append)
    assert (done.chats, done.episodes) == (8, 5)
    assert done_then[-1] == 8


def test_a_home_of_another_encoder_is_refused(tmp_path: Path) -> None:
    import_chats(settings(tmp_path), [chat("a", "b")], tenant="ann")
    with pytest.raises(SettingsError, match="hashed"):
        import_chats(settings(tmp_path, "minilm"), [chat("a", "b")], tenant="ann")
