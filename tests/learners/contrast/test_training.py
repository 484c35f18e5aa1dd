"""Every objective trains a tiny random model in seconds and moves the right probability the right way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lifelong.learners import Recipe, Sample, TrainingReport
from lifelong.learners.adapters.lora import open_network
from lifelong.learners.contrast.batch import ContrastObjective
from lifelong.learners.contrast.group_policy import GroupRelativePolicy
from lifelong.learners.contrast.guards import Guards
from lifelong.learners.contrast.portability import PortableAnchor
from lifelong.learners.contrast.positives import Positives
from lifelong.learners.contrast.preference import DirectPreference
from lifelong.learners.contrast.prospect import KahnemanTversky
from lifelong.learners.contrast.rows import JudgedSample
from lifelong.learners.contrast.training import NothingToLearn, train_contrast
from lifelong.learners.contrast.unlikelihood import FirstDivergenceUnlikelihood

LOOSE = Guards(max_drift=100.0, max_fall=100.0)
OBJECTIVES: list[ContrastObjective] = [
    Positives(),
    FirstDivergenceUnlikelihood(),
    DirectPreference(),
    KahnemanTversky(),
    GroupRelativePolicy(),
    PortableAnchor(),
]


def question(number: int) -> Sample:
    return Sample(messages=({"role": "user", "content": f"room {number}"},), answer="", skill="lamps", episode=str(number))


SAMPLES = [
    JudgedSample(sample=replace(question(number), answer=answer), success=answer == "blue", group=str(number), instead=instead)
    for number in range(6)
    for answer, instead in (("blue", ""), ("black", "blue"))
]
PROBES = [replace(question(number), answer="hello") for number in (20, 21)]


def recipe(model: Path, **changes: object) -> Recipe:
    return Recipe(**{"base": str(model), "rank": 4, "learning_rate": 0.02, "epochs": 6, **changes})  # type: ignore[arg-type]


def probabilities(model: Path, adapter: Path | None) -> tuple[float, float]:
    """Mean log-probability of a right and of a wrong answer to questions that were not trained on, in nats."""
    import torch
    from transformers import AutoTokenizer

    from lifelong.learners.contrast.rows import tensors, units
    from lifelong.serving import ChatPrompts

    prompts = ChatPrompts(AutoTokenizer.from_pretrained(model))
    network = open_network(recipe(model, start=str(adapter) if adapter else ""), torch).eval()
    found = []
    for answer in ("blue", "black"):
        unseen = [JudgedSample(sample=replace(question(number), answer=answer), success=True, group=str(number)) for number in (7, 8, 9)]
        rows = [row for unit in units(unseen, "all", prompts, 512, 2) for row in unit]
        ids, mask, answered = tensors(rows, 0, torch, "cpu")
        with torch.no_grad():
            every = network(input_ids=ids, attention_mask=mask).logits.float().log_softmax(-1)
        each = every[:, :-1].gather(-1, ids[:, 1:, None]).squeeze(-1)
        found.append(float((each * answered[:, 1:]).sum() / len(rows)))
    return found[0], found[1]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: type(one).__name__)
def test_what_was_right_becomes_likelier_than_what_was_wrong(objective: ContrastObjective, tiny_model: Path, tmp_path: Path) -> None:
    right, wrong = probabilities(tiny_model, None)
    report = train_contrast(SAMPLES, objective, recipe(tiny_model), tmp_path / "v1", guards=LOOSE)
    now_right, now_wrong = probabilities(tiny_model, tmp_path / "v1")
    assert now_right > right + 0.1
    assert now_right - now_wrong > right - wrong + 0.1
    assert TrainingReport.read(tmp_path / "v1") == report.training
    assert (report.stopped, report.training.samples) == ("", len(SAMPLES))
    assert (report.reference_tokens > 0) == objective.needs_reference


def test_the_same_samples_give_the_same_weights(tiny_model: Path, tmp_path: Path) -> None:
    for name in ("v1", "v2"):
        train_contrast(SAMPLES, DirectPreference(), recipe(tiny_model, epochs=1), tmp_path / name, probes=PROBES, guards=LOOSE)
    one, other = ((tmp_path / name / "adapter_model.safetensors").read_bytes() for name in ("v1", "v2"))
    assert one == other


def test_every_objective_reads_as_many_tokens_as_its_budget(tiny_model: Path, tmp_path: Path) -> None:
    for place, objective in enumerate(OBJECTIVES):
        report = train_contrast(SAMPLES, objective, recipe(tiny_model), tmp_path / str(place), budget=1500, guards=LOOSE)
        assert 1500 <= report.training.tokens + report.reference_tokens < 1500 + 8 * 64
        assert report.processor_seconds > 0


def test_a_model_that_drifts_is_stopped_and_is_as_it_was_before(tiny_model: Path, tmp_path: Path) -> None:
    strict = Guards(max_drift=0.02, max_fall=100.0, every=2)
    wild = recipe(tiny_model, learning_rate=0.5, epochs=20)
    report = train_contrast(SAMPLES, Positives(), wild, tmp_path / "v1", guards=strict, probes=PROBES)
    assert report.stopped.startswith("drift:")
    assert report.training.steps == 2, "the first look"
    assert report.drift > 0.02
    assert probabilities(tiny_model, tmp_path / "v1") == pytest.approx(probabilities(tiny_model, None), abs=1e-3)


def test_confirmed_answers_that_become_less_likely_end_the_training(tiny_model: Path, tmp_path: Path) -> None:
    # "blue" is confirmed once and called wrong five times: it sinks under its own failures.
    samples = [SAMPLES[0], *(replace(one, success=False) for one in SAMPLES[2::2])]
    strict = Guards(max_drift=100.0, max_fall=0.5, every=1)
    report = train_contrast(samples, KahnemanTversky(beta=1.0), recipe(tiny_model, epochs=30), tmp_path / "v1", guards=strict)
    assert report.stopped.startswith("collapse: confirmed answers lost")


def test_nothing_to_learn_from_is_said_for_each_kind_of_objective(tiny_model: Path, tmp_path: Path) -> None:
    for samples, objective, needed in (
        ([], GroupRelativePolicy(), "a judged answer"),
        (SAMPLES[1:2], Positives(), "a success"),
        (SAMPLES[:1], DirectPreference(), "a failure beside a success"),
    ):
        with pytest.raises(NothingToLearn, match=f"nothing to learn from: .*{needed}"):
            train_contrast(samples, objective, recipe(tiny_model), tmp_path / "v1")
    (tmp_path / "taken").mkdir()
    with pytest.raises(ValueError, match="immutable"):
        train_contrast(SAMPLES, Positives(), recipe(tiny_model), tmp_path / "taken")
