from __future__ import annotations

import random
import time

import pytest

from lifelong.envs import GraphEnvironment
from lifelong.envs.graph.generator import make_problem
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


def test_an_endless_query_stops() -> None:
    pattern = " . ".join(f"?a{number} ?b{number} ?c{number}" for number in range(14))
    began = time.perf_counter()
    with pytest.raises(QueryRefused, match="too much"):
        run(TRIPLES, f"SELECT (COUNT(*) AS ?n) WHERE {{ {pattern} }}")
    assert time.perf_counter() - began < 30


def test_questions_have_answers_and_skills_vary() -> None:
    problems = [problem for seed in range(300) if (problem := make_problem(random.Random(seed)))]
    golds = [problem.gold for problem in problems]
    for word in ("COUNT", "ORDER BY DESC", "ORDER BY ASC", "FILTER", "?y", " . "):
        assert sum(word in gold for gold in golds) >= 5, word
    assert all(run_trusted(problem.triples, problem.gold) for problem in problems)


def test_a_wrong_query_is_an_observation() -> None:
    environment = GraphEnvironment()
    environment.reset(seed=0)
    observation, _, terminated, _, info = environment.step("SELECT ?x")
    assert observation.startswith("Error: ")
    assert (terminated, info["error"]) == (False, True)
