from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lifelong.core import Settings, SettingsError
from lifelong.evals.suites.loop.suite import METHODS, SHARED, _scratch, rows_of
from lifelong.runs.summary import summarise_metrics


def summary(after: int, final: int) -> dict[str, Any]:
    def row(night: int, environment: str, successes: int) -> dict[str, Any]:
        return {"night": night, "environment": environment, "successes": successes, "tasks": 20, "tokens": 400}

    made: dict[str, Any] = {
        "environments": ["a", "b"],
        "stream": [],
        "evaluations": [row(0, "a", 1), row(0, "b", 0), row(1, "a", after), row(2, "a", final), row(2, "b", 10)],
        "nights": [{"night": 1, "environment": "a"}, {"night": 2, "environment": "b"}],
        "seconds": 1.0,
    }
    return {**made, "metrics": summarise_metrics(made)}


def figures(method: str, *runs: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {(row.case, row.metric): row.value for row in rows_of(method, runs)}


def test_the_figures_are_means_over_seeds() -> None:
    found = figures("lifelong", summary(16, 12), summary(14, 14))
    assert found["a", "success_before"] == 0.05
    assert found["a", "success_after"] == 0.75
    assert found["a", "success_final"] == pytest.approx(0.65)
    assert found["a", "forgetting"] == pytest.approx(0.1)
    assert found["stream", "tokens_per_solved"] == pytest.approx((800 / 22 + 800 / 24) / 2)


def test_one_seed_has_an_interval_over_tasks_and_several_over_seeds() -> None:
    [single] = [row for row in rows_of("lifelong", [summary(16, 12)]) if (row.case, row.metric) == ("a", "success_after")]
    [double] = [row for row in rows_of("lifelong", [summary(16, 12), summary(14, 14)]) if (row.case, row.metric) == ("a", "success_after")]
    assert single.ci95 is not None
    assert single.ci95[0] < 0.8 < single.ci95[1]
    assert (single.seeds, double.seeds, double.n) == (1, 2, 40)


def test_methods_differ_in_what_their_names_say_and_in_nothing_else() -> None:
    values = {name: Settings().with_values({**SHARED, **method.values}) for name, method in METHODS.items()}
    assert set(METHODS) == {"lifelong", "no_memory", "recall_only", "naive_lora", "joint"}
    assert {name for name, method in METHODS.items() if method.sleep == "never"} == {"no_memory", "recall_only"}
    assert {name for name, one in values.items() if one.memory.recall == "off"} == {"no_memory", "naive_lora", "joint"}
    assert (values["naive_lora"].sleep.replay, values["naive_lora"].sleep.gate) == (0.0, False)
    assert METHODS["joint"].sleep == "at_end"
    assert values["joint"].sleep.replay * 150 >= 150, "all other tasks are replayed"
    for setting in ("rank", "epochs", "learning_rate", "batch_size"):
        assert len({getattr(one.sleep, setting) for one in values.values()}) == 1, f"{setting} is the same for all"
    assert len({(one.wake.max_attempts, one.wake.control_share) for one in values.values()}) == 1


def test_homes_outlive_a_killed_run_of_a_known_commit_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifelong.evals.suites.loop.suite.cache_directory", lambda: tmp_path / "cache" / "models")

    def killed(commit: str, keep: bool) -> Path:
        monkeypatch.setattr("lifelong.evals.suites.loop.suite.source_version", lambda: commit)
        with suppress(KeyboardInterrupt), _scratch(keep=keep) as folder:
            (folder / "lifelong-0").mkdir(parents=True, exist_ok=True)
            raise KeyboardInterrupt
        return folder

    assert not killed("", True).exists()
    assert not killed("c0ffee-modified", True).exists(), "what is not committed may have changed since"
    assert not killed("c0ffee", False).exists()
    folder = killed("c0ffee", True)
    assert (folder / "lifelong-0").exists()
    with _scratch(keep=True) as again:
        assert again == folder
    assert not folder.exists(), "nothing is left of a run that ended"
    folder.mkdir(parents=True)
    (folder / "thesis").write_text("x")
    with pytest.raises(SettingsError, match="not a run"), _scratch(keep=True):
        pytest.fail("it must not work in somebody else's folder")
    assert (folder / "thesis").exists()
