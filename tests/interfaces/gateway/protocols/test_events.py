"""Streams cut into events: every byte comes out once, however it came in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lifelong.interfaces.gateway.protocols.events import LONGEST, EventReader

STREAM = b': comment\n\nevent: delta\ndata: {"a": 1}\ndata:more\n\ndata: [DONE]\r\n\r\ndata: {"b": 2}\r\r'


def test_names_data_and_json_by_hand() -> None:
    comment, delta, done, last = EventReader().feed(STREAM)
    assert (comment.name, comment.data, comment.json()) == ("", "", {})
    assert (delta.name, delta.data, delta.json()) == ("delta", '{"a": 1}\nmore', {})
    assert (done.data, done.json()) == ("[DONE]", {})
    assert last.json() == {"b": 2}


@given(st.binary(max_size=80) | st.just(STREAM), st.lists(st.integers(1, 9)))
def test_every_byte_comes_out_once_wherever_the_stream_is_cut(stream: bytes, cuts: list[int]) -> None:
    reader, out, at = EventReader(), b"", 0
    for cut in [*cuts, len(stream) + 1]:
        out += b"".join(event.raw for event in reader.feed(stream[at : at + cut]))
        at += cut
    assert out + reader.rest() == stream
    assert reader.rest() == b""


@given(st.lists(st.sampled_from([b'data: {"a": 1}\n\n', b"event: x\ndata: y\n\n", b": c\n\n"]), max_size=6), st.integers(1, 7))
def test_the_cuts_do_not_change_the_events(events: list[bytes], cut: int) -> None:
    stream, reader = b"".join(events), EventReader()
    found = [event for at in range(0, len(stream), cut) for event in reader.feed(stream[at : at + cut])]
    assert found == EventReader().feed(stream)
    assert [event.raw for event in found] == events


def test_what_never_ends_is_passed_on() -> None:
    reader, endless = EventReader(), b"x" * (LONGEST + 1)
    [event] = reader.feed(endless)
    assert event.raw == endless
    assert event.json() == {}
    assert reader.rest() == b""
