from __future__ import annotations

import numpy as np
import pytest
from sampled_skills import domain, sampled_skills

from lifelong.perception import Recogniser
from lifelong.perception import recogniser as recogniser_module
from lifelong.perception.recognition import calibration as module
from lifelong.perception.recognition.calibration import Calibration, FoldEvidence, least_tasks
from lifelong.perception.recognition.evidence import KnownSkills


def test_every_examined_task_is_held_out_once_as_known() -> None:
    skills = sampled_skills(skills=6, count=30)
    fitted = Calibration.fit(skills, 0)
    assert fitted.fitted == 180
    assert set(fitted.held_out) == set(skills.names)
    assert fitted.count == 180
    again = Calibration.fit(skills, 0)
    np.testing.assert_array_equal(fitted.weights, again.weights)
    for name, odds in fitted.held_out.items():
        np.testing.assert_array_equal(odds, again.held_out[name])


def test_a_threshold_keeps_its_share_of_new_known_tasks() -> None:
    skills = sampled_skills(skills=8, count=120)
    some = type(skills)(names=skills.names, banks=tuple(bank[:60] for bank in skills.banks), first=skills.first)
    fitted = Calibration.fit(some, 0)
    centres = fitted.shape.centres(some)
    kept = []
    for name, bank in zip(skills.names, skills.banks, strict=True):
        found, odds = fitted.judge(some, centres, bank[60:])
        assert (found.skills == skills.names.index(name)).mean() > 0.9
        kept.append((odds <= fitted.threshold(name, 0.9)).mean())
    assert 0.84 < np.mean(kept) < 0.96


def test_known_tasks_are_held_out_beside_all_skills_and_unknown_ones_with_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, set[str], set[str]]] = []
    weighed = Calibration._weighed.__func__  # type: ignore[attr-defined]

    def looked(cls: type[Calibration], known: KnownSkills, seed: int, gram: object, parts: list[FoldEvidence]) -> Calibration:
        seen.extend((len(names), set(names.tolist()), set(kept.names)) for _, names, kept in parts)
        return weighed(cls, known, seed, gram, parts)  # type: ignore[no-any-return]

    monkeypatch.setattr(Calibration, "_weighed", classmethod(looked))
    skills = sampled_skills(skills=6, count=30)
    Calibration.fit(skills, 0)
    known, unknown = seen[: module.FOLDS], seen[module.FOLDS :]
    assert [kept for _, _, kept in known] == [set(skills.names)] * module.FOLDS
    assert sum(count for count, _, _ in known) == sum(count for count, _, _ in unknown) == 180
    assert all(not names & kept for _, names, kept in unknown), "a skill that is held out is known to nobody"


def test_a_skill_without_tasks_of_its_own_has_the_threshold_of_all() -> None:
    fitted = Calibration.fit(sampled_skills(skills=6, count=30), 0)
    pooled = np.sort(np.concatenate(list(fitted.held_out.values())))
    rank = int(np.ceil((len(pooled) + 1) * 0.9))
    assert fitted.threshold("new", 0.9) == pooled[rank - 1], "the conformal rank"
    assert fitted.threshold("new", 1.0) == pooled[-1]


def test_large_records_are_fitted_on_a_bounded_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FITTED", 60)
    monkeypatch.setattr(module, "EXAMINED", 40)
    fitted = Calibration.fit(sampled_skills(skills=6, count=30), 0)
    assert fitted.fitted == 60
    assert fitted.count <= 40


@pytest.mark.parametrize(("quantile", "least"), [(0.95, 19), (0.99, 99), (1.0, 1)])
def test_the_fewest_tasks_of_which_a_quantile_exists(quantile: float, least: int) -> None:
    assert least_tasks(quantile) == least


def test_many_at_once_are_judged_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recogniser_module, "BLOCK", 7)
    rows, names = domain(5, 30)
    queries = np.vstack([domain(5, 4, seed=3)[0], domain(8, 4, seed=5)[0]])
    for skills in (names, ["one"] * len(names), []):
        recogniser = Recogniser(second=24)
        recogniser.fit(rows[: len(skills)], skills)
        at_once = recogniser.judge_many(queries)
        assert len(at_once) == len(queries)
        for one, other in zip(at_once, map(recogniser.judge, queries), strict=True):
            assert (one.skill, one.known) == (other.skill, other.known)
            assert one.known_chance == pytest.approx(other.known_chance, abs=1e-5)
            assert one.confidence == pytest.approx(other.confidence, abs=1e-5)
    assert Recogniser().judge_many(np.zeros((0, 24), dtype=np.float32)) == []


def test_streams_that_are_all_new_or_never_new_have_defined_verdicts() -> None:
    rows, names = domain(6, 40)
    recogniser = Recogniser(second=24)
    recogniser.fit(rows, names)
    draw = np.random.default_rng(11).normal(size=(200, 2, 24))
    strange = (draw / np.linalg.norm(draw, axis=2, keepdims=True)).reshape(200, 48).astype(np.float32)
    never, always = recogniser.judge_many(domain(6, 40, seed=9)[0]), recogniser.judge_many(strange)
    assert np.mean([verdict.known for verdict in never]) > 0.85
    assert np.mean([verdict.known for verdict in always]) < 0.1
    for verdict in (*never, *always):
        assert 0 <= verdict.known_chance <= 1
        assert verdict.reason
