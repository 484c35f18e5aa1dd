"""Generated graph questions."""

from __future__ import annotations

import random

from lifelong.envs.graph.generator import make_problem
from lifelong.envs.graph.sparql import run_trusted


def test_questions_have_answers_and_skills_vary() -> None:
    problems = [problem for seed in range(300) if (problem := make_problem(random.Random(seed)))]
    golds = [problem.gold for problem in problems]
    for word in ("COUNT", "ORDER BY DESC", "ORDER BY ASC", "FILTER", "?y", " . "):
        assert sum(word in gold for gold in golds) >= 5, word
    assert all(run_trusted(problem.triples, problem.gold) for problem in problems)
