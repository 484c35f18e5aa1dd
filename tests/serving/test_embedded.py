"""The embedded engine on a tiny random Llama: replies, adapters per request, choices, ranking, bad input."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest

from lifelong.core import Adapter, AdapterRejected, Cancelled, EngineUnreachable, MalformedTask, ModelCorrupt, NothingFound, cancelled_by
from lifelong.core.messages import tool_specification
from lifelong.serving import ChatReply, ChatRequest, EmbeddedEngine, seal_adapter

AdapterMaker = Callable[..., Adapter]


def ask(text: str, **options: object) -> ChatRequest:
    return ChatRequest(messages=[{"role": "system", "content": ""}, {"role": "user", "content": text}], max_tokens=12, **options)


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tiny_model, dtype="float32", device="cpu", batch_size=3)
    yield engine
    engine.close()


def test_greedy_replies_equal_the_library_s_own_generation(engine: EmbeddedEngine) -> None:
    import torch

    texts = ["a", "what is seven times six?", "go north", "b" * 40, "?"]
    replies = engine.chat([ask(text) for text in texts])
    for text, reply in zip(texts, replies, strict=True):
        prompt = engine.tokenizer.apply_chat_template(list(ask(text).messages), add_generation_prompt=True, return_dict=False)
        out = engine.network.generate(
            input_ids=torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=12,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
        written = out.sequences[0, len(prompt) :]
        assert reply.text == engine.tokenizer.decode(written, skip_special_tokens=True)
        assert reply.usage.prompt_tokens == len(prompt)
        assert reply.usage.completion_tokens == len(written)
        logprobs = torch.stack(out.logits)[:, 0].log_softmax(-1).gather(-1, written[:, None])
        assert reply.logprob == pytest.approx(float(logprobs.mean()), abs=1e-4)


def test_rows_that_end_leave_the_batch_and_change_no_other_row(engine: EmbeddedEngine) -> None:
    alone = [engine.chat([replace(ask(str(n)), max_tokens=n + 1)])[0] for n in range(9)]
    together = engine.chat([replace(ask(str(n)), max_tokens=n + 1) for n in range(9)])
    assert [reply.text for reply in together] == [reply.text for reply in alone]
    assert [reply.usage.completion_tokens for reply in together] == [reply.usage.completion_tokens for reply in alone]
    assert all(reply.finished or reply.usage.completion_tokens == n + 1 for n, reply in enumerate(together))


def test_a_shared_beginning_is_read_once_and_changes_nothing(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [ask("the same long instructions " * 4 + str(n)) for n in range(3)]
    shapes: list[tuple[int, int]] = []
    hook = engine.network.get_input_embeddings().register_forward_hook(lambda _module, inputs, _output: shapes.append(inputs[0].shape))
    shared = engine.chat(requests)
    hook.remove()
    assert shapes[0][0] == 1
    assert shapes[1][0] == 3
    assert shapes[0][1] > 100 > shapes[1][1]
    monkeypatch.setattr("lifelong.serving.decoding.decode._WORTH_SHARING", 10_000)
    apart = engine.chat(requests)
    assert [reply.text for reply in shared] == [reply.text for reply in apart]
    assert [reply.logprob for reply in shared] == pytest.approx([reply.logprob for reply in apart], abs=1e-4)


def test_sampling_follows_the_request_s_own_seed_whatever_its_neighbours(engine: EmbeddedEngine) -> None:
    first = engine.chat([ask("draw", temperature=1.0, seed=7)])[0]
    crowd = engine.chat([ask("x", temperature=1.0, seed=1), ask("draw", temperature=1.0, seed=7), ask("draw", temperature=1.0, seed=8)])
    assert crowd[1].text == first.text
    assert crowd[2].text != first.text


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_choices_hold_the_reply_to_one_of_them(engine: EmbeddedEngine, temperature: float) -> None:
    choices = ("go", "go north", "open the door", "é")
    seen = {engine.chat([ask(f"room {n}", choices=choices, temperature=temperature, seed=n)])[0].text for n in range(12)}
    assert seen <= set(choices)
    assert temperature == 0.0 or len(seen) > 1


def by_itself(engine: EmbeddedEngine, request: ChatRequest, option: str) -> float:
    import torch

    prompt = engine.tokenizer.apply_chat_template(list(request.messages), add_generation_prompt=True, return_dict=False)
    tokens = engine.tokenizer(option, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logits = engine.network(torch.tensor([prompt + tokens])).logits[0, len(prompt) - 1 : -1]
    return float(logits.float().log_softmax(-1).gather(-1, torch.tensor(tokens)[:, None]).mean())


OPTIONS = ("a", "go north", "go", "open the door with the rusty key", "zz")


def test_choose_equals_scoring_each_option_by_itself(engine: EmbeddedEngine) -> None:
    choice = engine.choose(ask("where to?"), OPTIONS)
    alone = [by_itself(engine, ask("where to?"), option) for option in OPTIONS]
    assert choice.logprobs == pytest.approx(alone, abs=1e-4)
    assert choice.index == max(range(len(OPTIONS)), key=alone.__getitem__)
    assert choice.usage.prompt_tokens == engine.chat([ask("where to?")])[0].usage.prompt_tokens + sum(map(len, OPTIONS))


def test_many_long_options_are_scored_in_parts_that_change_nothing(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["word " * (1 + n % 5) + str(n) for n in range(9)]
    rows: list[int] = []
    whole = engine.choose(ask("pick"), options)
    monkeypatch.setattr("lifelong.serving.decoding.decode._SCORED", 40)
    hook = engine.network.get_input_embeddings().register_forward_hook(lambda _module, inputs, _output: rows.append(inputs[0].numel()))
    parted = engine.choose(ask("pick"), options)
    hook.remove()
    assert len(rows) > 3, "the prompt, then several parts"
    assert max(rows[1:]) <= 40
    assert parted.logprobs == pytest.approx(whole.logprobs, abs=1e-4)


def test_choose_in_bfloat16(tiny_model: Path) -> None:
    engine = EmbeddedEngine(tiny_model, dtype="bfloat16", device="cpu")
    choice = engine.choose(ask("where to?"), OPTIONS)
    assert choice.logprobs == pytest.approx([by_itself(engine, ask("where to?"), option) for option in OPTIONS], abs=1e-2)


def test_adapters_switch_per_request_and_leave_the_base_alone(engine: EmbeddedEngine, tiny_adapter: AdapterMaker) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = engine.chat([ask("hello")])[0].text
    one, two = tiny_adapter("one-v1", seed=1), tiny_adapter("two-v1", seed=2)
    engine.publish(one)
    engine.publish(two)
    replies = engine.chat([ask("hello", adapter=name) for name in ("two-v1", "", "one-v1", "", "two-v1")])
    assert [reply.text == base for reply in replies] == [False, True, False, True, False]
    assert replies[0].text == replies[4].text != replies[2].text

    prompt = engine.tokenizer.apply_chat_template(list(ask("hello").messages), add_generation_prompt=True, return_dict=False)
    peft = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(engine.path), one.path)
    with torch.no_grad():
        expected = peft(torch.tensor([prompt])).logits[0, -1].log_softmax(-1)
    scored = engine.choose(ask("hello", adapter="one-v1"), ["a", "b"])
    ids = [engine.tokenizer(text)["input_ids"][0] for text in ("a", "b")]
    assert scored.logprobs == pytest.approx(expected[ids].tolist(), abs=1e-4)


def test_more_adapters_than_resident_copies(tiny_model: Path, tiny_adapter: AdapterMaker) -> None:
    engine = EmbeddedEngine(tiny_model, dtype="float32", device="cpu", resident=1)
    for seed in (1, 2):
        engine.publish(tiny_adapter(f"many-v{seed}", seed=seed))
    first = [reply.text for reply in engine.chat([ask("x", adapter="many-v1"), ask("x", adapter="many-v2")])]
    again = [reply.text for reply in engine.chat([ask("x", adapter="many-v1"), ask("x", adapter="many-v2")])]
    assert first == again
    assert first[0] != first[1]


def test_a_retired_adapter_is_gone_and_its_name_never_changes_meaning(engine: EmbeddedEngine, tiny_adapter: AdapterMaker) -> None:
    adapter = tiny_adapter("gone-v1", seed=3)
    engine.publish(adapter)
    engine.publish(adapter)
    with pytest.raises(AdapterRejected, match="already published"):
        engine.publish(tiny_adapter("gone-v1", seed=4))
    engine.retire("gone-v1")
    engine.retire("never-there")
    with pytest.raises(NothingFound, match="gone-v1"):
        engine.chat([ask("hello", adapter="gone-v1")])


def edited(adapter: Adapter, target: Path, **changes: object) -> Adapter:
    shutil.copytree(adapter.path, target)
    config = json.loads((target / "adapter_config.json").read_text())
    (target / "adapter_config.json").write_text(json.dumps({**config, **changes}))
    seal_adapter(target)
    return replace(adapter, path=str(target))


def test_adapters_that_do_not_fit_are_rejected(engine: EmbeddedEngine, tiny_adapter: AdapterMaker, tmp_path: Path) -> None:
    good = tiny_adapter("bad-v1", rank=4)
    half = edited(good, tmp_path / "damaged")
    weights = tmp_path / "damaged" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    seal_adapter(weights.parent)
    rejected: Sequence[tuple[Adapter, str]] = [
        (replace(good, base="another-model"), "another-model"),
        (edited(good, tmp_path / "base", base_model_name_or_path="org/another"), "org/another"),
        (replace(good, rank=8), "rank 8"),
        (edited(good, tmp_path / "rank", r=8), "rank"),
        (edited(good, tmp_path / "kind", peft_type="IA3"), "not a LoRA"),
        (edited(good, tmp_path / "layers", target_modules=["q_proj"]), "layers"),
        (half, "damaged"),
        (replace(good, path=str(tmp_path / "nowhere")), "nowhere"),
    ]
    for adapter, words in rejected:
        with pytest.raises(AdapterRejected, match=words):
            engine.publish(adapter)
    with pytest.raises(NothingFound):
        engine.chat([ask("hello", adapter="bad-v1")])


def test_an_adapter_of_another_shape_is_rejected(tiny_model: Path, tiny_adapter: AdapterMaker, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    adapter = edited(tiny_adapter("wide-v1"), tmp_path / "wide")
    weights = tmp_path / "wide" / "adapter_model.safetensors"
    save_file({key: value.repeat(1, 2) if "lora_A" in key else value for key, value in load_file(weights).items()}, weights)
    seal_adapter(weights.parent)
    with pytest.raises(AdapterRejected, match="does not fit"):
        EmbeddedEngine(tiny_model, device="cpu").publish(adapter)


def test_malformed_requests(engine: EmbeddedEngine) -> None:
    with pytest.raises(MalformedTask, match="reads 2048"):
        engine.chat([ask("x" * 3000)])
    with pytest.raises(MalformedTask, match="max_tokens"):
        engine.chat([replace(ask("x"), max_tokens=0)])
    for options in ([], ["a", ""]):
        with pytest.raises(MalformedTask, match="options"):
            engine.choose(ask("x"), options)
    assert engine.chat([]) == []


def test_threads_share_one_engine(engine: EmbeddedEngine, tiny_adapter: AdapterMaker) -> None:
    engine.publish(tiny_adapter("shared-v1", seed=5))
    expected = {name: engine.chat([ask("hello", adapter=name)])[0].text for name in ("", "shared-v1")}
    wrong: list[str] = []

    def client(name: str) -> None:
        for _ in range(5):
            text = engine.chat([ask("hello", adapter=name)])[0].text
            if text != expected[name]:
                wrong.append(text)

    threads = [Thread(target=client, args=(name,)) for name in ("", "shared-v1") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.fixture
def endless(tiny_model: Path) -> Iterator[tuple[EmbeddedEngine, list[int]]]:
    """An engine whose replies have no end of their own, and the number of tokens it has written."""
    engine, made = EmbeddedEngine(tiny_model, dtype="float32", device="cpu"), [0]
    engine._ends = frozenset()
    forward = engine.network.forward

    def counted(*arguments: object, **named: object) -> object:
        made[0] += 1
        return forward(*arguments, **named)

    engine.network.forward = counted  # type: ignore[method-assign,assignment]
    yield engine, made
    engine.close()


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "a call, streamed"])
def test_work_that_nobody_waits_for_ends_within_a_token(endless: tuple[EmbeddedEngine, list[int]], streamed: bool) -> None:
    engine, made = endless
    left, ended = Event(), []
    # The text of a call is no piece of its own: the first piece is the whole reply.
    words = {
        "type": "object",
        "properties": {"words": {"type": "array", "minItems": 300, "items": {"type": "string"}}},
        "required": ["words"],
    }
    call = replace(ask("north"), max_tokens=1900, tools=[tool_specification("find", "", words)], tool_choice="required")

    texts = [replace(ask("north"), max_tokens=1900), replace(ask("south"), max_tokens=1900)]
    ask_for_it = partial(next, engine.stream(call)) if streamed else partial(engine.chat, texts)

    def work() -> None:
        with cancelled_by(left), pytest.raises(Cancelled):
            ask_for_it()
        ended.append(made[0])

    thread = Thread(target=work)
    thread.start()
    while made[0] < 5 and thread.is_alive():
        pass
    left.set()
    seen = made[0]
    thread.join()
    assert seen >= 5
    assert ended[0] <= seen + 2
    assert engine.chat([ask("east")])[0].usage.completion_tokens == 12, "the lock is free"


def test_a_short_reply_does_not_wait_for_the_end_of_a_long_one(endless: tuple[EmbeddedEngine, list[int]]) -> None:
    engine, made = endless
    left = Event()

    def work() -> None:
        with cancelled_by(left), pytest.raises(Cancelled):
            engine.chat([replace(ask("north"), max_tokens=1900)])

    thread = Thread(target=work)
    thread.start()
    while made[0] < 5:
        pass
    before = made[0]
    engine.chat([ask("east")])
    after = made[0]
    left.set()
    thread.join()
    assert after - before < 40, "12 tokens of its own and as many of the other"


def test_an_adapter_that_is_retired_meanwhile_writes_its_replies_to_the_end(
    endless: tuple[EmbeddedEngine, list[int]], tiny_adapter: AdapterMaker
) -> None:
    engine, made = endless
    adapter = tiny_adapter("lifelong-v0001")
    engine.publish(adapter)
    requests = [replace(ask("north"), max_tokens=200), replace(ask("north"), max_tokens=12, adapter=adapter.name)]
    expected = engine.chat(requests)[1].text
    made[0] = 0
    replies: list[ChatReply] = []
    thread = Thread(target=lambda: replies.extend(engine.chat(requests)))
    thread.start()
    while made[0] < 5:
        pass
    engine.retire(adapter.name)
    thread.join()
    assert replies[1].text == expected
    with pytest.raises(NothingFound):
        engine.chat(requests)


def test_a_closed_engine_says_so(tiny_model: Path) -> None:
    engine = EmbeddedEngine(tiny_model, device="cpu")
    engine.close()
    engine.close()
    with pytest.raises(EngineUnreachable, match="closed"):
        engine.chat([ask("hello")])


def test_a_model_that_cannot_be_read_is_corrupt(tiny_model: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_model, broken)
    (broken / "model.safetensors").write_bytes(b"not a tensor")
    with pytest.raises(ModelCorrupt, match="pull --force"):
        EmbeddedEngine(broken)
