"""A night goes on with what was wrong beside what was right: told, inside its budget, taken up after a crash, and erased with its runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from nights import FakeTrainer, open_fake
from practising import Learned, fail

from lifelong.core import Message, Settings
from lifelong.core.settings import CONTRAST_SETTINGS
from lifelong.learners import Recipe, Sample, TrainingReport, train_lora
from lifelong.learners.contrast import MEMBERS
from lifelong.learners.contrast.rows import JudgedSample
from lifelong.learners.contrast.training import ContrastReport
from lifelong.orchestrator import NightState
from lifelong.orchestrator.held_out import is_held_out
from lifelong.orchestrator.phases import NightContext, NightStopped
from lifelong.orchestrator.phases.contrast import Contrast, affordable_tokens, go_on, objective_of, within
from lifelong.serving import seal_adapter

TRAIN = "lifelong.orchestrator.phases.contrast.train_contrast"


class FakeContrast:
    """Stands for `train_contrast`; writes what it is given in the place of weights."""

    def __init__(self, stopped: str = "", failing: Exception | None = None) -> None:
        self.stopped, self.failing = stopped, failing
        self.calls: list[tuple[list[JudgedSample], Recipe, int]] = []

    def __call__(self, samples: Any, objective: Any, recipe: Recipe, directory: Path, **values: Any) -> ContrastReport:
        self.calls.append((list(samples), recipe, values["budget"]))
        assert Path(recipe.start).is_dir()
        values["progress"](1, 1, 0.0)
        if self.failing:
            directory.mkdir()
            raise self.failing
        directory.mkdir()
        report = TrainingReport(samples=len(samples), steps=1, tokens=1, seconds=0.0, loss=(0.5,))
        (directory / "training.json").write_text(json.dumps({"recipe": asdict(recipe), "report": asdict(report)}))
        (directory / "adapter_config.json").write_text("{}")
        (directory / "adapter_model.safetensors").write_text(json.dumps([asdict(one) for one in samples], default=sorted))
        seal_adapter(directory, values["provenance"])
        return ContrastReport(training=report, reference_tokens=0, processor_seconds=0.0, drift=0.0, stopped=self.stopped)


def corrected(learner: Any, count: int = 20) -> Learned:
    environment = Learned()
    fail(learner, environment)
    for episode in learner.record.episodes.find(tenant="default")[:count]:
        learner.correct(episode, environment)
    return environment


def names(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "adapters").iterdir())


def test_the_settings_are_the_objectives() -> None:
    assert ("off", *MEMBERS) == CONTRAST_SETTINGS
    assert Settings().sleep.contrast == "off"
    for name in MEMBERS:
        assert objective_of(name).learns_from in ("pairs", "all")


def test_a_night_goes_on_with_failures_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, contrast = FakeTrainer(), FakeContrast(stopped="drift: too far")
    monkeypatch.setattr(TRAIN, contrast)
    with open_fake(tmp_path, monkeypatch, trainer, **{"sleep.contrast": "dpo"}) as learner:
        corrected(learner)
        [report] = learner.sleep(skills=["database"])
        assert report.published, report.reason
        (samples, recipe, _), *others = contrast.calls
        assert {one.success for one in samples} == {True, False}
        assert all(one.instead for one in samples if not one.success)
        assert recipe.learning_rate == pytest.approx(0.2 * learner.settings.sleep.learning_rate)
        tasks = {one.group for one in samples}
        assert f"contrast (dpo) of {len(samples)} right and wrong answers to {len(tasks)} tasks; drift: too far" in report.plan
        # Nothing that the gate judges by is learned from, and what is learned from is named.
        adapter = learner.record.adapters.get(report.adapter)
        ids = {one.sample.episode for one in samples}
        assert ids <= set(adapter.episodes)
        episodes = learner.record.episodes.get_many(sorted(ids), tenant="default")
        kept_apart = [is_held_out(one, 0, learner.settings.sleep.held_out) for one in episodes]
        assert others or not any(kept_apart)
        assert names(tmp_path) == [report.adapter]


def test_adapters_that_judge_in_turn_are_trained_as_the_candidate_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contrast = FakeContrast()
    monkeypatch.setattr(TRAIN, contrast)
    with open_fake(tmp_path, monkeypatch, **{"sleep.contrast": "unlikelihood", "sleep.min_held_out": 16}) as learner:
        corrected(learner)
        learner.sleep(skills=["database"])
        whole, *folds = [{one.sample.episode for one in samples} for samples, _, _ in contrast.calls]
        assert len(folds) == 2
        assert all(fold < whole for fold in folds)
        assert len([name for name in names(tmp_path) if "fold" in name or "first" in name]) == 0


def test_off_is_off_and_without_both_kinds_the_plan_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contrast = FakeContrast()
    monkeypatch.setattr(TRAIN, contrast)
    with open_fake(tmp_path / "off", monkeypatch) as learner:
        corrected(learner)
        assert "contrast" not in learner.sleep(skills=["database"])[0].plan
    with open_fake(tmp_path / "none", monkeypatch, **{"sleep.contrast": "dpo", "sleep.exercises": 40}) as learner:
        fail(learner, Learned())
        [report] = learner.sleep(skills=["database"])
        assert report.published
        assert report.plan.endswith("no contrast (dpo), no task has the right and the wrong answers that it needs")
    assert contrast.calls == []


def test_a_contrast_that_fails_costs_itself_and_not_the_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TRAIN, FakeContrast(failing=ValueError("no number any more")))
    with open_fake(tmp_path, monkeypatch, **{"sleep.contrast": "kto"}) as learner:
        corrected(learner)
        [report] = learner.sleep(skills=["database"])
        assert report.published, report.reason
        assert "it failed and was left out: ValueError: no number any more" in report.plan
        assert learner.status().faults["contrast"] >= 1
        assert names(tmp_path) == [report.adapter]


def test_an_interrupted_contrast_goes_on_from_what_was_trained_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = FakeTrainer()
    monkeypatch.setattr(TRAIN, FakeContrast(failing=NightStopped()))
    with open_fake(tmp_path, monkeypatch, trainer, **{"sleep.contrast": "dpo"}) as learner:
        corrected(learner)
        with pytest.raises(NightStopped):
            learner.sleep(skills=["database"])
        [first] = [name for name in names(tmp_path) if name.endswith("-first")]
        trained = len(trainer.trained)
    contrast = FakeContrast()
    monkeypatch.setattr(TRAIN, contrast)
    with open_fake(tmp_path, monkeypatch, trainer, **{"sleep.contrast": "dpo"}) as learner:
        learner.environments[Learned.id] = Learned()
        [report] = learner.sleep(skills=["database"])
        assert report.published, report.reason
        assert report.adapter == first.removesuffix("-first")
        assert [name for name, _, _ in trainer.trained[trained:] if "fold" not in name] == []
        assert len([name for name in names(tmp_path) if "first" in name]) == 0


def test_a_night_whose_seconds_are_spent_keeps_what_it_trained_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contrast = FakeContrast()
    monkeypatch.setattr(TRAIN, contrast)
    trainer = FakeTrainer()
    with open_fake(tmp_path, monkeypatch, trainer, **{"sleep.contrast": "dpo", "sleep.budget_seconds": 0}) as learner:
        corrected(learner)
        [report] = learner.sleep(skills=["database"])
        assert report.state is NightState.FAILED
        assert "the next night goes on from there" in report.reason
        assert contrast.calls == []
        assert [name.endswith("-first") for name in names(tmp_path)] == [True]


def test_an_erased_failure_is_in_no_byte_of_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TRAIN, FakeContrast())
    with open_fake(tmp_path, monkeypatch, **{"sleep.contrast": "dpo"}) as learner:
        engine: Any = learner._components.engine
        secret = "SELECT 'the secret of Zanzibar' FROM nowhere"
        engine._answer = lambda request: "right" if request.adapter else secret
        corrected(learner)
        [report] = learner.sleep(skills=["database"])
        weights = tmp_path / "adapters" / report.adapter / "adapter_model.safetensors"
        assert "Zanzibar" in weights.read_text()
        for episode in learner.record.episodes.find(tenant="default"):
            if "Zanzibar" in episode.answer:
                learner.forget(episode=episode.id, rebuild=False)
        assert not weights.exists()
        learner.record.scrub()
    held = [path for path in tmp_path.rglob("*") if path.is_file() and b"Zanzibar" in path.read_bytes()]
    assert held == []


def test_tokens_follow_the_training_and_the_seconds_left() -> None:
    training = TrainingReport(samples=8, steps=4, tokens=4000, seconds=40.0, loss=())
    assert affordable_tokens(training, float("inf")) == 1000
    assert affordable_tokens(training, 4.0) == 200
    assert affordable_tokens(training, 0.0) == 1


def judged(group: str, success: bool, answer: str, instead: str = "") -> JudgedSample:
    messages: tuple[Message, ...] = ({"role": "user", "content": f"Task {group}"},)
    sample = Sample(messages=messages, answer=answer, skill="s", episode=f"{group}-{success}")
    return JudgedSample(sample=sample, success=success, group=group, instead=instead)


def test_as_many_tasks_as_may_be_read_the_last_met_first() -> None:
    samples = [judged(str(number), success, "x" * 200) for number in range(4) for success in (True, False)]
    assert {one.group for one in within(samples, 400)} == {"3", "2"}
    assert {one.group for one in within(samples, 0)} == {"3"}
    assert len(within(samples, 10**6)) == 8


@pytest.mark.parametrize("name", list(MEMBERS))
def test_every_objective_trains_on_from_an_adapter(name: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    with open_fake(home, monkeypatch) as learner:
        recipe = Recipe(base=str(tiny_model), rank=2, epochs=1, substitution=0)
        samples = [judged(str(n), ok, f"{n} {'red' if ok else 'blue'}", "" if ok else f"{n} red") for n in range(4) for ok in (True, False)]
        data = [one.sample for one in samples if one.success]
        first = tmp_path / "one-first"
        train_lora(data, recipe, first, provenance="first")
        night = NightContext(components=learner._components, environments={}, tenant="default")
        contrast = Contrast(objective=name, samples=tuple(samples))
        digest = contrast.digest("first")
        ended = go_on(night, first, tmp_path / "one", contrast, data, recipe, provenance=digest, step=lambda *_: None)
        assert "failed" not in ended
        assert not first.exists()
        assert (tmp_path / "one" / "adapter_model.safetensors").is_file()
        assert digest != "first"
        assert Contrast(objective=name).digest("first") == "first"
