"""Adapters on a running server: published, retired, swapped while clients ask, refused where they do not fit."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file
from wire import ask

from lifelong.core import Adapter, AdapterRejected, EngineUnreachable, NothingFound
from lifelong.serving import VLLMEngine, seal_adapter


def test_the_zero_adapter_comes_first_and_answers_for_the_base(engine, protocol, adapter):
    assert engine.chat([ask("x")])[0].text == "tiny on x", "without adapters the base answers itself"
    engine.publish(adapter("lifelong-v1"))
    loads = [body for path, body in protocol.asked if path == "/v1/load_lora_adapter"]
    assert [body["lora_name"] for body in loads] == ["base-null", "lifelong-v1"]
    replies = engine.chat([ask("x"), ask("x", adapter="lifelong-v1")])
    assert [reply.text for reply in replies] == ["base-null on x", "lifelong-v1 on x"]
    weights = load_file(Path(loads[0]["lora_path"]) / "adapter_model.safetensors")
    assert [value.shape for value in weights.values()] == [(1, 6), (8, 1)]
    assert not any(value.any() for value in weights.values())


def test_no_bare_base_request_is_in_flight_when_the_first_adapter_arrives(engine, protocol, adapter):
    protocol.delay = 0.3
    seen: list[int] = []
    answer = protocol.answer

    def watch(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if body.get("lora_name") == "lifelong-v1":
            seen.append(protocol.flying - 1)
        return answer(path, body)

    protocol.answer = watch
    asking = threading.Thread(target=engine.chat, args=([ask() for _ in range(4)],))
    asking.start()
    while protocol.flying < 4:
        time.sleep(0.005)
    engine.publish(adapter("lifelong-v1"))
    asking.join()
    assert seen == [0]


def test_a_server_that_already_has_the_zero_adapter_is_used_as_it_is(url, protocol):
    protocol.adapters["base-null"] = "/somewhere/null"
    engine = VLLMEngine("tiny", url=url)
    assert engine.chat([ask("x")])[0].text == "base-null on x"
    engine.close()


def test_a_server_with_adapters_of_others_gets_a_zero_adapter_at_first_contact(url, protocol, adapter):
    protocol.adapters["theirs"] = adapter("theirs").path
    engine = VLLMEngine("tiny", url=url)
    assert engine.chat([ask("x")])[0].text == "base-null on x"
    engine.close()


def test_adapters_of_others_that_cannot_be_read_are_refused_rather_than_answered_wrongly(url, protocol):
    protocol.adapters["theirs"] = "/not/on/this/machine"
    with pytest.raises(EngineUnreachable, match="base-null"):
        VLLMEngine("tiny", url=url)


def test_retire_waits_for_requests_in_flight(engine, protocol, adapter):
    engine.publish(adapter("lifelong-v1"))
    protocol.delay = 0.4
    replies: list[str] = []
    asking = threading.Thread(target=lambda: replies.extend(reply.text for reply in engine.chat([ask("x", adapter="lifelong-v1")] * 3)))
    asking.start()
    while protocol.flying < 3:
        time.sleep(0.005)
    engine.retire("lifelong-v1")
    assert protocol.flying == 0
    asking.join()
    assert replies == ["lifelong-v1 on x"] * 3
    assert "lifelong-v1" not in protocol.adapters
    with pytest.raises(NothingFound, match="retired"):
        engine.chat([ask(adapter="lifelong-v1")])


def test_a_late_request_is_still_answered_while_its_adapter_retires(url, protocol, adapter):
    engine = VLLMEngine("tiny", url=url, linger=0.3)
    engine.publish(adapter("lifelong-v1"))
    engine.chat([ask(adapter="lifelong-v1")])
    retiring = threading.Thread(target=engine.retire, args=("lifelong-v1",))
    retiring.start()
    time.sleep(0.05)
    assert engine.chat([ask("late", adapter="lifelong-v1")])[0].text == "lifelong-v1 on late"
    retiring.join()
    assert "lifelong-v1" not in protocol.adapters
    engine.close()


def test_an_adapter_that_is_never_idle_retires_all_the_same_and_fails_nothing_in_flight(engine, protocol, adapter, monkeypatch):
    monkeypatch.setattr("lifelong.serving.in_flight.RETIRE_SECONDS", 0.1)
    engine.publish(adapter("lifelong-v1"))
    protocol.delay = 0.5
    replies: list[str] = []
    asking = threading.Thread(target=lambda: replies.extend(reply.text for reply in engine.chat([ask("x", adapter="lifelong-v1")])))
    asking.start()
    while not protocol.flying:
        time.sleep(0.005)
    retiring = threading.Thread(target=engine.retire, args=("lifelong-v1",))
    retiring.start()
    time.sleep(0.3)
    assert "lifelong-v1" in protocol.adapters, "it must not go while a request is in flight"
    with pytest.raises(NothingFound, match="retired"):
        engine.chat([ask(adapter="lifelong-v1")])
    retiring.join()
    asking.join()
    assert replies == ["lifelong-v1 on x"]
    assert "lifelong-v1" not in protocol.adapters


def test_unknown_names_retire_silently_and_the_base_never_does(engine, protocol, adapter):
    engine.publish(adapter("lifelong-v1"))
    for name in ("never-seen", "", "base-null"):
        engine.retire(name)
    assert set(protocol.adapters) == {"base-null", "lifelong-v1"}


def test_a_retired_adapter_can_be_published_again(engine, adapter):
    first = adapter("lifelong-v1")
    engine.publish(first)
    engine.retire(first.name)
    engine.publish(first)
    assert engine.chat([ask("x", adapter=first.name)])[0].text == "lifelong-v1 on x"


def test_publishing_twice_is_publishing_once(engine, protocol, adapter):
    first = adapter("lifelong-v1")
    engine.publish(first)
    engine.publish(first)
    assert set(protocol.adapters) == {"base-null", "lifelong-v1"}


def test_a_name_or_directory_is_never_used_for_other_weights(engine, adapter):
    first = adapter("lifelong-v1")
    engine.publish(first)
    adapter("lifelong-v1", fill=2.0)
    with pytest.raises(AdapterRejected, match="reuses"):
        engine.publish(first)
    with pytest.raises(AdapterRejected, match="reuses"):
        engine.publish(Adapter(name="lifelong-v2", path=first.path, base="tiny", rank=2))
    with pytest.raises(AdapterRejected, match="base model's name"):
        engine.publish(Adapter(name="base-null", path=adapter("other").path, base="tiny", rank=2))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"base": "another-model"}, "trained on 'another-model'"),
        ({"base_model_name_or_path": "hub/another-model"}, "trained on 'hub/another-model'"),
        ({"rank": 1024}, "at most 512"),
        ({"rank_pattern": {"q_proj": 1024}}, "at most 512"),
        ({"r": 4, "files_rank": 4}, "recorded with rank 2"),
        ({"r": -1}, "positive"),
        ({"files_rank": 3}, "rank-2 factors"),
        ({"use_dora": True}, "DoRA"),
        ({"lora_bias": True}, "bias"),
        ({"bias": "all"}, "bias"),
        ({"init_lora_weights": "pissa"}, "pissa"),
        ({"alora_invocation_tokens": [1]}, "activated"),
        ({"layer_replication": [[0, 1]]}, "replication"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"peft_type": "PREFIX_TUNING"}, "not a LoRA"),
    ],
)
def test_an_adapter_that_does_not_fit_is_rejected_before_the_server_is_asked(engine, protocol, adapter, wrong, message):
    with pytest.raises(AdapterRejected, match=message):
        engine.publish(adapter("wrong", **wrong))
    assert not protocol.asked


@pytest.mark.parametrize("init", ["gaussian", "orthogonal", True, False])
def test_ordinary_initialisations_and_other_spellings_of_the_base_are_accepted(engine, adapter, init):
    engine.publish(adapter("fits", base="hub/Tiny", init_lora_weights=init, base_model_name_or_path="/cache/tiny/"))
    assert engine.chat([ask("x", adapter="fits")])[0].text == "fits on x"


def test_damaged_or_missing_files_are_rejected(engine, adapter):
    broken = adapter("broken")
    weights = Path(broken.path) / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(AdapterRejected, match="instead of"):
        engine.publish(broken)
    seal_adapter(weights.parent)
    with pytest.raises(AdapterRejected, match="missing or damaged"):
        engine.publish(broken)
    weights.unlink()
    with pytest.raises(AdapterRejected, match="is missing"):
        engine.publish(broken)
    seal_adapter(weights.parent)
    with pytest.raises(AdapterRejected, match="does not name"):
        engine.publish(broken)
    with pytest.raises(AdapterRejected, match="cannot be read"):
        engine.publish(Adapter(name="nowhere", path="/nowhere", base="tiny", rank=2))


def test_a_server_without_runtime_adapters_says_how_to_start_it(url, protocol, adapter):
    protocol.runtime_lora = False
    engine = VLLMEngine("tiny", url=url)
    with pytest.raises(AdapterRejected, match="VLLM_ALLOW_RUNTIME_LORA_UPDATING"):
        engine.publish(adapter("lifelong-v1"))
    engine.close()


def test_a_server_that_was_started_anew_gets_its_adapters_back(engine, protocol, adapter):
    engine.publish(adapter("lifelong-v1"))
    protocol.adapters.clear()
    replies = engine.chat([ask("x"), ask("x", adapter="lifelong-v1")])
    assert [reply.text for reply in replies] == ["base-null on x", "lifelong-v1 on x"]
