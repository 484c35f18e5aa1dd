"""The embedded engine with the real SmolLM2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lifelong.checks.engine import check_engine
from lifelong.core import Adapter
from lifelong.core.messages import tool_specification
from lifelong.serving import ChatRequest, EmbeddedEngine, locate, seal_adapter, verify

pytestmark = pytest.mark.model

NAME = "smollm2-135m-instruct"


@pytest.fixture(scope="module")
def engine() -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(NAME, device="cpu")
    yield engine
    engine.close()


def ask(text: str, *, adapter: str = "", max_tokens: int = 16) -> ChatRequest:
    messages = [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": text}]
    return ChatRequest(messages=messages, adapter=adapter, max_tokens=max_tokens)


def adapter(engine: EmbeddedEngine, parent: Path, seed: int) -> Adapter:
    import torch
    from peft import LoraConfig, get_peft_model

    from lifelong.serving.embedded import shared_copy

    name = f"smol-v{seed}"
    lora = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = get_peft_model(shared_copy(engine.network), lora)
        for key, weight in network.named_parameters():
            if "lora_B" in key:
                torch.nn.init.normal_(weight, std=0.05)
        network.save_pretrained(parent / name)
    seal_adapter(parent / name)
    return Adapter(name=name, path=str(parent / name), base=engine.model, rank=4)


def test_the_files_are_whole() -> None:
    verify(locate(NAME), hashes=True)


def test_it_answers_a_question(engine: EmbeddedEngine) -> None:
    reply = engine.chat([ask("What is the capital of France?")])[0]
    assert "Paris" in reply.text
    assert reply.finished
    assert reply.logprob > -0.5


def test_the_right_continuation_is_likelier(engine: EmbeddedEngine) -> None:
    options = ["Tokyo is the capital of France.", "The capital of France is Paris.", "Banana wheel the seven of."]
    assert engine.choose(ask("What is the capital of France?"), options).index == 1
    request = ask("Which animal barks?")
    assert engine.choose(request, ["A fish.", "A dog.", "A table."]).index == 1


def test_adapters_switch_per_request(engine: EmbeddedEngine, tmp_path: Path) -> None:
    question = "What is the capital of France?"
    base = engine.chat([ask(question)])[0].text
    for seed in (1, 2):
        engine.publish(adapter(engine, tmp_path, seed))
    texts = [reply.text for reply in engine.chat([ask(question, adapter=name) for name in ("", "smol-v1", "smol-v2", "", "smol-v1")])]
    assert texts[0] == texts[3] == base
    assert texts[1] == texts[4]
    assert len({*texts}) == 3


def test_a_stream_is_the_reply_and_begins_early(engine: EmbeddedEngine) -> None:
    request = ask("Write three sentences about the sea.", max_tokens=40)
    passes: list[int] = []
    hook = engine.network.get_input_embeddings().register_forward_hook(lambda *_: passes.append(1))
    stream = engine.stream(request)
    first = next(stream)
    assert len(passes) <= 3
    pieces = [first, *stream]
    hook.remove()
    assert "".join(piece.text for piece in pieces) == engine.chat([request])[0].text
    assert len(pieces) > 20


def test_it_calls_a_tool_with_arguments_that_fit(engine: EmbeddedEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 30}, "unit": {"enum": ["celsius", "fahrenheit"]}},
        "required": ["city", "unit"],
        "additionalProperties": False,
    }
    tool = tool_specification("weather", "Current weather of a city", schema)
    request = replace(ask("How warm is it in Paris, in celsius?", max_tokens=200), tools=[tool], tool_choice="required")
    reads: list[int] = []
    hook = engine.network.get_input_embeddings().register_forward_hook(lambda _module, inputs, _output: reads.append(inputs[0].shape[1]))
    reply = engine.chat([replace(request, parallel_tool_calls=False)])[0]
    hook.remove()
    [call] = reply.tool_calls
    arguments = json.loads(call["function"]["arguments"])
    assert arguments == {"city": "Paris", "unit": "celsius"}
    assert len(reads) < reply.usage.completion_tokens / 2, "what the grammar forces is not asked of the model"


def test_the_engine_keeps_the_rules(tmp_path: Path) -> None:
    engine = EmbeddedEngine(NAME, device="cpu", dtype="float32")
    check_engine(engine, adapter=adapter(engine, tmp_path, 3))
