"""Prefixes of conversations in the record: found by tenant, and gone with their runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lifelong.memory import Record, SessionNode


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with Record(tmp_path / "record.sqlite3") as opened:
        yield opened


def node(number: int, session: str = "s", run: str = "r", leaf: bool = True) -> SessionNode:
    return SessionNode(hash=number.to_bytes(16, "big"), session=session, run=run, position=number, leaf=leaf)


def hash_of(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_the_longest_prefix_is_found_and_what_is_followed_is_no_leaf(record: Record) -> None:
    record.session_nodes.add("t", [node(1, leaf=False), node(2)], b"")
    record.session_nodes.add("t", [node(3)], hash_of(2))
    tree = record.session_nodes.of("t")
    assert [(one.position, one.leaf) for one in tree.nodes([hash_of(number) for number in (1, 2, 9)])] == [(2, False)]
    assert [(one.position, one.leaf) for one in tree.nodes([hash_of(number) for number in range(1, 200)])] == [(3, True)]
    assert tree.nodes([hash_of(7)]) == tree.nodes([]) == []
    assert tree.newest("s").position == 3  # type: ignore[union-attr]
    assert tree.at("s", hash_of(1)).position == 1  # type: ignore[union-attr]
    assert record.session_nodes.of("other").nodes([hash_of(1)]) == []


def test_answers_calls_and_what_was_shown(record: Record) -> None:
    nodes = record.session_nodes
    nodes.add("t", [node(1, leaf=False), node(2)], b"", block="shown", beside=hash_of(1))
    nodes.add_answer("t", "chatcmpl-1", node(2), [77])
    assert nodes.of("t").answer("chatcmpl-1").position == 2  # type: ignore[union-attr]
    assert nodes.of("t").caller(77).position == 2  # type: ignore[union-attr]
    assert nodes.of("other").answer("chatcmpl-1") is None
    assert nodes.blocks("t", "s", [hash_of(number) for number in range(100)]) == {hash_of(1): "shown"}
    assert nodes.blocks("t", "other", [hash_of(1)]) == {}
    assert (nodes.run_of("chatcmpl-1"), nodes.run_of("chatcmpl-1", "t"), nodes.run_of("chatcmpl-1", "other")) == ("r", "r", "")


def test_the_id_of_a_call_names_one_session_or_none(record: Record) -> None:
    nodes = record.session_nodes
    for number in (1, 2):
        nodes.add("t", [node(number)], b"")
        nodes.add_answer("t", "", node(number), [], ["call_1"])
    assert nodes.of("t").call("call_1").position == 2  # type: ignore[union-attr]
    assert nodes.of("t").answer("call_1") is nodes.of("t").answer("") is None
    nodes.add("t", [node(3, session="another")], b"")
    nodes.add_answer("t", "", node(3, session="another"), [], ["call_1", "call_2"])
    assert nodes.of("t").call("call_1") is None
    assert nodes.of("t").call("call_2").session == "another"  # type: ignore[union-attr]
    assert nodes.of("other").call("call_2") is None


def test_an_id_that_two_tenants_have_names_nobody_without_a_tenant(record: Record) -> None:
    for tenant in ("ann", "bob"):
        record.session_nodes.add(tenant, [node(1, run=tenant)], b"")
        record.session_nodes.add_answer(tenant, "chatcmpl-1", node(1), [])
    assert (record.session_nodes.run_of("chatcmpl-1"), record.session_nodes.run_of("chatcmpl-1", "bob")) == ("", "bob")


def test_nodes_go_with_their_run_and_everything_with_the_tenant(record: Record) -> None:
    nodes = record.session_nodes
    for tenant in ("ann", "bob"):
        nodes.add(tenant, [node(1, run="gone"), node(2, run="stays")], b"", block="shown", beside=hash_of(2))
        nodes.add_answer(tenant, "a", node(1), [5])
    with record._database.transaction() as connection:
        nodes.erase(connection, ["ann"], ["gone"])
    assert nodes.of("ann").nodes([hash_of(1)]) == []
    assert nodes.of("ann").answer("a") is None
    assert nodes.of("ann").caller(5) is None
    assert len(nodes.of("ann").nodes([hash_of(2)])) == 1
    assert nodes.blocks("ann", "s", [hash_of(2)]) == {}
    assert nodes.blocks("bob", "s", [hash_of(2)]) == {hash_of(2): "shown"}
    with record._database.transaction() as connection:
        nodes.erase(connection, ["bob"], [], all=True)
    assert nodes.of("bob").nodes([hash_of(2)]) == []
