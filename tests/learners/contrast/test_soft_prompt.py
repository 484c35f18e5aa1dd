"""A soft prompt trains on a tiny random model, and the written model answers with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lifelong.learners import Recipe, Sample
from lifelong.learners.contrast.guards import Guards
from lifelong.learners.contrast.positives import Positives
from lifelong.learners.contrast.rows import JudgedSample
from lifelong.learners.contrast.soft_prompt import PromptedModel, train_soft_prompt
from lifelong.learners.contrast.training import NothingToLearn
from lifelong.serving import ChatRequest, EmbeddedEngine

LOOSE = Guards(max_drift=100.0, max_fall=100.0)


def judged(number: int) -> JudgedSample:
    question = Sample(messages=({"role": "user", "content": f"room {number}"},), answer="b", skill="lamps", episode=str(number))
    return JudgedSample(sample=question, success=True, group=str(number))


SAMPLES = [judged(number) for number in range(8)]
UNSEEN = [{"role": "user", "content": "room 99"}]


def recipe(model: Path, **changes: object) -> Recipe:
    return Recipe(**{"base": str(model), "rank": 4, "learning_rate": 0.1, "epochs": 40, **changes})  # type: ignore[arg-type]


def log_prob(model: Path, answer: str) -> float:
    engine = EmbeddedEngine(model, dtype="float32", device="cpu")
    try:
        return engine.choose(ChatRequest(messages=UNSEEN), [answer]).logprobs[0]  # type: ignore[arg-type]
    finally:
        engine.close()


def test_what_was_confirmed_becomes_likelier_and_the_model_itself_stays(tiny_model: Path, tmp_path: Path) -> None:
    report = train_soft_prompt(SAMPLES, Positives(), recipe(tiny_model), tmp_path / "v1", length=4, guards=LOOSE)
    assert report.training.loss[-1] < report.training.loss[0] - 0.5
    assert log_prob(tmp_path / "v1", "b") > log_prob(tiny_model, "b") + 0.5
    from transformers import AutoModelForCausalLM

    old, new = (AutoModelForCausalLM.from_pretrained(path).state_dict() for path in (tiny_model, tmp_path / "v1"))
    same = [name for name in old if "embed" not in name and "lm_head" not in name]
    assert same
    # Trained, and written, in the precision that is fastest here.
    assert all(old[name].bfloat16().equal(new[name].bfloat16()) for name in same)
    words = len(old["model.embed_tokens.weight"])
    assert new["model.embed_tokens.weight"][:words].bfloat16().equal(old["model.embed_tokens.weight"].bfloat16())
    assert not list(tmp_path.glob(".*partial"))


def test_the_written_model_says_what_the_trained_one_said(tiny_model: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from lifelong.serving import ChatPrompts

    train_soft_prompt(SAMPLES, Positives(), recipe(tiny_model, epochs=2), tmp_path / "v1", length=3, guards=LOOSE)
    written = AutoModelForCausalLM.from_pretrained(tmp_path / "v1", dtype=torch.bfloat16).float().eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "v1")
    first = tokenizer.convert_tokens_to_ids("<|soft_0|>")
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.bfloat16).float().eval()
    prompted = PromptedModel(base, 3)
    prompted.vectors.data = written.get_input_embeddings().weight[first : first + 3].detach()
    bare = torch.tensor([ChatPrompts(AutoTokenizer.from_pretrained(tiny_model)).tokens(UNSEEN)])  # type: ignore[arg-type]
    whole = torch.tensor([ChatPrompts(tokenizer).tokens(UNSEEN)])  # type: ignore[arg-type]
    assert whole.shape[1] == bare.shape[1] + 3
    with torch.no_grad():
        hidden = prompted.base_model(input_ids=bare, attention_mask=torch.ones_like(bare), use_cache=False).last_hidden_state
        theirs = prompted.get_output_embeddings()(hidden)[0, -1]
        ours = written(input_ids=whole).logits[0, -1]
    assert torch.allclose(ours[: len(theirs)], theirs, atol=1e-4)
    assert ours[first : first + 3].max() < ours.max(), "the vectors are never written"


def test_it_goes_on_from_an_adapter_and_stops_where_the_model_drifts(tiny_model: Path, tmp_path: Path) -> None:
    strict = Guards(max_drift=1e-6, max_fall=100.0, every=1)
    probes = [replace(judged(50).sample, answer="x")]
    report = train_soft_prompt(SAMPLES, Positives(), recipe(tiny_model), tmp_path / "v1", guards=strict, probes=probes)
    assert report.stopped.startswith("drift:")
    with pytest.raises(ValueError, match="exists"):
        train_soft_prompt(SAMPLES, Positives(), recipe(tiny_model), tmp_path / "v1")
    with pytest.raises(NothingToLearn, match="nothing to learn from"):
        train_soft_prompt([], Positives(), recipe(tiny_model), tmp_path / "v2")
