from __future__ import annotations

import copy
import json
import resource
from pathlib import Path

import pytest

from lifelong.core import Adapter, AdapterRejected, StoreError
from lifelong.learners import Recipe, Sample, TrainingReport, train_lora
from lifelong.learners.adapters.samples import encode, length_grouped
from lifelong.serving import ChatPrompts, ChatRequest, EmbeddedEngine

SAMPLES = [
    Sample(messages=({"role": "user", "content": f"room {number}"},), answer="blue", skill="lamps", episode=str(number), composed=False)
    for number in range(16)
]


def recipe(model: Path, **changes: object) -> Recipe:
    return Recipe(**{"base": str(model), "rank": 4, "learning_rate": 0.02, "epochs": 8, **changes})  # type: ignore[arg-type]


def test_the_answer_alone_is_learned_from(tiny_model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    ids, labels = encode(SAMPLES[0], ChatPrompts(tokenizer), 512, tokenizer.eos_token_id)
    assert tokenizer.decode([label for label in labels if label != -100]) == "blue<|im_end|>"
    assert tokenizer.decode(ids).endswith("<|im_start|>assistant\nblue<|im_end|>")
    short_ids, short_labels = encode(SAMPLES[0], ChatPrompts(tokenizer), 10, tokenizer.eos_token_id)
    assert len(short_ids) == 10
    assert short_labels[-5:] == labels[-5:]


def test_length_grouping_is_a_permutation_that_saves_padding() -> None:
    lengths = [(7 * place) % 50 for place in range(64)]
    order = length_grouped(lengths, 4, range(64))
    assert sorted(order) == list(range(64))
    batches = [[lengths[p] for p in order[start : start + 4]] for start in range(0, 64, 4)]
    assert sum(max(batch) * 4 for batch in batches) < sum(max(lengths[s : s + 4]) * 4 for s in range(0, 64, 4))


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
