"""The suite of the record: what it makes, how it counts."""

from __future__ import annotations

import numpy as np

from lifelong.evals.suites.memory import suite as module


def test_latencies_become_percentiles_and_all_else_a_mean() -> None:
    rows = list(module._rows("1k", "lifelong", "search_ms", [float(value) for value in range(101)], seeds=2))
    assert [(row.metric, row.value, row.n, row.seeds) for row in rows] == [
        ("search_p50_ms", 50.0, 101, 2),
        ("search_p95_ms", 95.0, 101, 2),
        ("search_p99_ms", 99.0, 101, 2),
    ]
    [mean] = module._rows("1k", "lifelong", "recall_at_10", [1.0, 0.0], seeds=1)
    assert (mean.metric, mean.value) == ("recall_at_10", 0.5)


def test_made_vectors_lie_around_themes_as_its_note_says() -> None:
    rows, again, queries = module._made(400, 0), module._made(400, 0), module._made(400, 0, stream=1)
    assert np.array_equal(rows, again)
    assert not np.array_equal(rows, queries)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    nearest = np.sort(rows @ queries.T, axis=1)[:, -1]
    assert 0.4 < float(np.median(nearest)) < 0.65, "neighbours have a cosine near one half"


def test_the_exact_search_finds_the_nearest() -> None:
    rows = np.eye(20, dtype=np.float32)
    query = np.linspace(1, 0, 20).astype(np.float32)
    assert set(module._exact(rows, query).tolist()) == set(range(module.NEIGHBOURS))


def test_an_episode_is_as_large_as_the_database_environments_and_every_other_one_solved() -> None:
    episodes = [module._episode(number) for number in range(4)]
    assert all(500 < len(episode.task.context) < 800 for episode in episodes)
    assert [episode.outcome.success for episode in episodes] == [True, False, True, False]
    assert len({episode.id for episode in episodes}) == 4
