"""SPARQL over small graphs: rows, judgement, refusals, limits."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lifelong.envs.graph.sparql import GraphProblem, QueryRefused, judge, run, run_trusted

TRIPLES = (("Ada", "livesIn", "Oslo"), ("Bo", "livesIn", "Oslo"), ("Cleo", "livesIn", "Lima"), ("Ada", "age", 30), ("Bo", "age", 41))


OLDEST = "SELECT ?x WHERE { ?x :livesIn :Oslo . ?x :age ?v } ORDER BY DESC(?v) LIMIT 1"


def test_rows_are_plain_words() -> None:
    assert run(TRIPLES, OLDEST) == run_trusted(TRIPLES, OLDEST) == (("Bo",),)
    assert run_trusted(TRIPLES, "SELECT (COUNT(?x) AS ?n) WHERE { ?x :livesIn :Oslo }") == (("2",),)
    assert run_trusted(TRIPLES, "ASK { :Ada :livesIn :Oslo }") == (("true",),)


def test_judged_as_a_multiset() -> None:
    problem = GraphProblem(context="c", goal="g", gold="SELECT ?x WHERE { ?x :livesIn :Oslo }", triples=TRIPLES)
    assert judge(problem, "SELECT ?who { ?who :livesIn :Oslo } ORDER BY DESC(?who)").reward == 1.0
    assert judge(problem, "SELECT ?who { ?who :livesIn :Lima }").reward == 0.0
    assert judge(problem, "SELECT ?who { ?who :livesIn ?y }").reward == 0.0


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT", "expected"),
        ("SELECT * WHERE { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", "SERVICE"),
        ("SELECT * FROM <file:///etc/passwd> WHERE { ?s ?p ?o }", "FROM"),
        ("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", "only SELECT and ASK"),
        ("DROP ALL", "expected"),
        ("\udcff", "surrogates"),
    ],
)
def test_refusals(query: str, reason: str) -> None:
    with pytest.raises(QueryRefused, match=reason):
        run(TRIPLES, query)


HIDDEN = [
    "SELECT ?s { ?c :livesIn ?d FILTER(1 < 2) SERVICE <URL> { ?s ?p ?o } }",
    "SELECT ?s { ?c :livesIn ?d FILTER(1 < 2) SERVICE SILENT <URL> { ?s ?p ?o } }",
    "SELECT ?s { ?c :livesIn ?d FILTER(?a<?b) SERVICE <URL> { ?s ?p ?o } FILTER(?c>?d) }",
    "SELECT ?s { ?c :livesIn ?d # it's\n SERVICE <URL> { ?s ?p ?o } # it's\n }",
    """SELECT ?s { ?c :livesIn ?d FILTER(?d != 'it\\'s') SERVICE <URL> { ?s ?p ?o } FILTER(?d != 'x') }""",
    """SELECT ?s { ?c :livesIn ?d FILTER(?d != "\\"") SERVICE <URL> { ?s ?p ?o } FILTER(?d != "x") }""",
    """SELECT ?s { ?c :livesIn ?d FILTER(?d != '''a'b''') SERVICE <URL> { ?s ?p ?o } }""",
    "SELECT ?s { ?c :livesIn ?d . service<URL>{ ?s ?p ?o } }",
    "PREFIX x: <URL> SELECT ?s { ?c :livesIn ?d . { SERVICE x: { ?s ?p ?o } } }",
    "SELECT ?s { BIND(<URL> AS ?u) SERVICE ?u { ?s ?p ?o } }",
    "SELECT ?s { ?s ?p ?o FILTER EXISTS { SERVICE <URL> { ?s ?p ?o } } }",
    "SELECT ?s { { SELECT ?s { SERVICE <URL> { ?s ?p ?o } } } }",
]


@pytest.fixture
def listener() -> Iterator[tuple[str, list[Any]]]:
    """The URL of a server in this process, and who has connected to it."""
    calls: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, address = server.accept()
                    calls.append(address)
                    connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/internal", calls
        over.set()
        thread.join()


@pytest.mark.parametrize("query", HIDDEN)
def test_no_query_reaches_the_network(listener: tuple[str, list[Any]], query: str) -> None:
    url, calls = listener
    with pytest.raises(QueryRefused, match="SERVICE"):
        run(TRIPLES, query.replace("URL", url))
    assert calls == []


@pytest.mark.slow
def test_an_endless_query_stops() -> None:
    pattern = " . ".join(f"?a{number} ?b{number} ?c{number}" for number in range(14))
    began = time.perf_counter()
    with pytest.raises(QueryRefused, match="too much"):
        run(TRIPLES, f"SELECT (COUNT(*) AS ?n) WHERE {{ {pattern} }}")
    assert time.perf_counter() - began < 30
