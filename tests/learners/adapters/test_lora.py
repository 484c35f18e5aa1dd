from __future__ import annotations

import copy
import json
import math
import resource
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from lifelong.core import Adapter, AdapterRejected, StoreError
from lifelong.learners import Recipe, Sample, TrainingReport, train_lora
from lifelong.learners.adapters.lora import answer_loss, rows_at_once
from lifelong.serving import ChatRequest, EmbeddedEngine

SAMPLES = [
    Sample(messages=({"role": "user", "content": f"room {number}"},), answer="blue", skill="lamps", episode=str(number), composed=False)
    for number in range(16)
]


def recipe(model: Path, **changes: object) -> Recipe:
    return Recipe(**{"base": str(model), "rank": 4, "learning_rate": 0.02, "epochs": 8, **changes})  # type: ignore[arg-type]


@pytest.mark.slow
def test_training_changes_the_answers_and_repeats_itself(tiny_model: Path, tmp_path: Path) -> None:
    before = copy.deepcopy(SAMPLES)
    seen: list[int] = []
    report = train_lora(SAMPLES, recipe(tiny_model), tmp_path / "v1", lambda done, total, loss: seen.append(done))
    assert before == SAMPLES
    assert seen == list(range(1, report.steps + 1))
    assert report.loss[-1] < report.loss[0] / 2
    assert TrainingReport.read(tmp_path / "v1") == report
    again = train_lora(SAMPLES, recipe(tiny_model), tmp_path / "v2")
    assert again.loss == report.loss
    weights = [(tmp_path / name / "adapter_model.safetensors").read_bytes() for name in ("v1", "v2")]
    assert weights[0] == weights[1]
    engine = EmbeddedEngine(tiny_model, threads=1, dtype="float32")
    engine.publish(Adapter(name="v1", path=str(tmp_path / "v1"), base=str(tiny_model), rank=4))
    unseen = [{"role": "user", "content": "room 99"}]
    plain, trained = engine.chat([ChatRequest(messages=unseen, adapter=name, max_tokens=8) for name in ("", "v1")])  # type: ignore[arg-type]
    assert trained.text == "blue" != plain.text


@pytest.mark.slow
def test_going_on_from_an_adapter_starts_where_it_ended(tiny_model: Path, tmp_path: Path) -> None:
    first = train_lora(SAMPLES, recipe(tiny_model), tmp_path / "v1")
    onward = train_lora(SAMPLES, recipe(tiny_model, start=str(tmp_path / "v1"), epochs=1), tmp_path / "v2")
    assert onward.loss[0] < first.loss[0] / 2
    with pytest.raises(AdapterRejected, match="cannot"):
        train_lora(SAMPLES, recipe(tiny_model, start=str(tmp_path / "gone")), tmp_path / "v3")
    assert not (tmp_path / "v3").exists()


def test_refuses_nothing_to_learn_from_and_a_name_in_use(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no samples"):
        train_lora([], recipe(tiny_model), tmp_path / "v1")
    (tmp_path / "taken").mkdir()
    with pytest.raises(ValueError, match="immutable"):
        train_lora(SAMPLES, recipe(tiny_model), tmp_path / "taken")


@pytest.mark.slow
def test_the_recipe_lies_beside_the_weights(tiny_model: Path, tmp_path: Path) -> None:
    train_lora(SAMPLES[:8], recipe(tiny_model, epochs=1), tmp_path / "v1")
    assert json.loads((tmp_path / "v1" / "training.json").read_text())["recipe"]["rank"] == 4
    assert not list(tmp_path.glob(".*partial"))


@pytest.mark.slow
def test_a_full_disk_leaves_nothing_half_written(tiny_model: Path, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
    try:
        with pytest.raises(StoreError, match="free disk space"):
            train_lora(SAMPLES[:8], recipe(tiny_model, epochs=1), tmp_path / "v1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
    train_lora(SAMPLES[:8], recipe(tiny_model, epochs=1), tmp_path / "v1")
    assert (tmp_path / "v1" / "adapter_model.safetensors").exists()


def test_the_loss_is_the_mean_over_answer_tokens_by_hand() -> None:
    import torch

    # Three words, hidden size 2, a head with rows (1, 0), (0, 1), (0, 0).
    head = torch.nn.Linear(2, 3, bias=False)
    head.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    hidden = torch.tensor([[[9.0, 9.0], [1.0, 0.0], [0.0, 2.0], [5.0, 5.0]]])
    network = SimpleNamespace(base_model=lambda **_: SimpleNamespace(last_hidden_state=hidden), get_output_embeddings=lambda: head)
    labels = torch.tensor([[-100, -100, 0, 1]])
    loss = answer_loss(network, labels, labels, labels)
    # -ln softmax(1, 0, 0)[0] and -ln softmax(0, 2, 0)[1]: 0.5514 and 0.2395.
    first, second = math.log(math.e + 2) - 1, math.log(math.e**2 + 2) - 2
    assert loss.item() == pytest.approx((first + second) / 2, abs=1e-6)
    assert loss.item() == pytest.approx(0.39548, abs=1e-4)
    assert answer_loss(network, labels, labels, labels, items=4).item() == pytest.approx((first + second) / 4, abs=1e-6)


@pytest.mark.slow
def test_a_long_prompt_is_learned_from_as_it_was_shown(tiny_model: Path, tmp_path: Path) -> None:
    """A session with many tools: a prompt that lost its beginning would be another one than the served model reads."""
    long = [
        replace(sample, messages=({"role": "system", "content": "tool " * 160}, *sample.messages), episode=f"long {place}")
        for place, sample in enumerate(SAMPLES[:8])
    ]
    whole = train_lora(long, recipe(tiny_model, epochs=1), tmp_path / "whole")
    assert whole.tokens > 8 * 800
    cut = train_lora(long, recipe(tiny_model, epochs=1, max_length=300), tmp_path / "cut")
    assert cut.tokens == 8 * 300
    assert [rows_at_once(8, length) for length in (512, 513, 724, 725, 5000)] == [4, 2, 2, 1, 1]
