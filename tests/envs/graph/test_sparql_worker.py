"""The worker for SPARQL: which candidate it judges, and that it has no network."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import unrefused_sparql

from lifelong.envs._workers import WorkerPool
from lifelong.envs.graph.sparql import run

TRIPLES = (("Ada", "livesIn", "Oslo"), ("Bo", "livesIn", "Oslo"), ("Cleo", "livesIn", "Lima"), ("Ada", "age", 30), ("Bo", "age", 41))


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
def test_the_worker_has_no_network_even_where_nothing_is_refused(listener: tuple[str, list[Any]], query: str) -> None:
    url, calls = listener
    pool = WorkerPool(unrefused_sparql.__name__)
    terms = [["<http://lifelong.example/Ada>", "<http://lifelong.example/livesIn>", "<http://lifelong.example/Oslo>"]]
    request = {"triples": terms, "candidates": [query.replace("URL", url)], "reported": 0, "prefix": "http://lifelong.example/"}
    pool.ask(request)
    pool.close()
    assert calls == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?service WHERE { ?service :livesIn :Oslo } # from service",
        "SELECT ?from\n\nWHERE {\n\n ?from :livesIn :Oslo\n}",
        "SELECT ?x WHERE { ?x :livesIn :Oslo FILTER(STR(?x) != 'SERVICE FROM') }",
        "The query:\n```\n?x lives in Oslo\n```\n```sparql\nSELECT ?x { ?x :livesIn :Oslo }\n```\nDone.",
        "Final answer: SELECT ?x { ?x :livesIn :Oslo }",
        "SELECT ?x { ?x :livesIn :Oslo }\n\nThis lists who lives there.",
        "PREFIX : <http://lifelong.example/>\n\nSELECT ?x\n{ ?x :livesIn :Oslo }",
    ],
)
def test_the_query_that_the_parser_accepts_is_judged(query: str) -> None:
    assert sorted(run(TRIPLES, query)) == [("Ada",), ("Bo",)]
