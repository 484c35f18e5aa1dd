"""The recogniser as waking asks it, beside plain scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made.open_set_texts import made
from scripted import open_scripted

from lifelong.core import Action, Episode, Judge, Outcome, Task
from lifelong.evals.data.seeded import Rate, mean_of
from lifelong.evals.data.texts import TWO_VIEWS, Texts
from lifelong.evals.row_filter import ALL_ROWS, RowFilter
from lifelong.evals.suites.perception import wake as module
from lifelong.perception import HashedEncoder


def test_clear_classes_are_known_and_named_and_the_rest_is_not() -> None:
    measured = module.deployed_figures(made(160, False, 0), made(80, False, 1), made(80, True, 2), 0, ALL_ROWS)
    figures = {key: mean_of(value) for key, value in measured.items()}
    assert measured["lifelong", "known_share_of_out_of_scope"] == Rate(
        hits=round(80 * figures["lifelong", "known_share_of_out_of_scope"]), trials=80
    )
    assert figures["lifelong", "accuracy"] == 1
    assert figures["lifelong", "known_share_of_known"] > 0.8
    assert figures["lifelong", "known_share_of_out_of_scope"] < 0.2
    assert figures["lifelong", "known_chance_calibration_error"] < 0.2
    assert figures["lifelong", "failure_aurc_x1000"] <= figures["lifelong", "unified_aurc_x1000"]
    for method in ("lifelong", *module.BASELINES, *(name + TWO_VIEWS for name in module.BASELINES)):
        assert figures[method, "ood_auroc"] > 0.95
        assert 0 <= figures[method, "fpr_at_95_id_tpr"] <= 1


def test_with_few_texts_distances_rank_and_what_a_chance_needs_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    measured = module.deployed_figures(made(40, False, 0), made(80, False, 1), made(80, True, 2), 0, RowFilter(methods=("lifelong",)))
    assert mean_of(measured["lifelong", "ood_auroc"]) > 0.9
    assert mean_of(measured["lifelong", "unified_aurc_x1000"]) < 250, "half of the tasks are unknown, and come last"
    said = capsys.readouterr().err
    assert "two skills with 8 tasks each, and 48 in all, are needed" in said
    assert "there are 40, and 0 such skills" in said


def test_novelty_is_turned_so_that_the_known_rank_first() -> None:
    inside, outside = np.array([0.1, 0.2], dtype=np.float32), np.array([0.8, 0.9], dtype=np.float32)
    assert module._rejection("x", inside, outside)["x", "ood_auroc"] == 1
    assert module._rejection("x", outside, inside)["x", "ood_auroc"] == 0


@pytest.mark.parametrize(("count", "drawn"), [(5, 5), (500, 40)])
def test_texts_are_drawn_without_repeats_as_far_as_there_are_any(count: int, drawn: int) -> None:
    texts = module._drawn(made(40, False, 0), count, np.random.default_rng(0))
    assert len(set(texts.texts)) == len(texts) == drawn


def test_the_bench_asks_what_waking_asks_verdict_by_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFELONG_CACHE", str(tmp_path / "cache"))
    forms = ("book a flight to {}", "write the recipe of {}", "is the shop in {} open", "play {} again")
    things = [f"{first} {second}" for first in ("red", "old", "big", "far") for second in ("Rome", "Oslo", "soup", "cake", "bread", "jazz")]
    goals = [form.format(thing) for thing in things for form in forms]
    labels = np.arange(len(goals)) % len(forms)
    asked = [*goals[:4], *(form.format("new Lima") for form in forms), "what rhymes with orange", "translate this poem"]
    encode = HashedEncoder().encode
    train = Texts(texts=tuple(goals), labels=labels, vectors=encode(goals))
    with open_scripted(tmp_path / "home", **{"wake.novelty_quantile": module.QUANTILE}) as learner:
        outcome = Outcome(success=True, score=1.0, judge=Judge.USER)
        runs = [
            Episode(
                id=f"e{place}",
                task=Task(id=f"e{place}", goal=goal, environment="chat"),
                steps=(Action(text="done"),),
                outcome=outcome,
                skill=str(label),
            )
            for place, (goal, label) in enumerate(zip(goals, labels, strict=True))
        ]
        learner.record.episodes.record_many(list(zip(runs, train.vectors, strict=True)))
        waking = [learner.wake(Task(id=goal, goal=goal, environment="chat")).verdict for goal in asked]
    bench = module.judged(
        module.recogniser(train, 0), Texts(texts=tuple(asked), labels=np.zeros(len(asked), dtype=np.int64), vectors=encode(asked))
    )
    assert {verdict.known for verdict in bench} == {True, False}
    for one, other in zip(waking, bench, strict=True):
        assert one is not None
        assert (one.skill, one.known) == (other.skill, other.known)
        assert one.known_chance == pytest.approx(other.known_chance, abs=1e-6)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-6)
        assert one.reason.startswith(other.reason)
