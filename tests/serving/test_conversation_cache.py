"""What was read of a conversation is not read again, and changes no answer."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from transformers import DynamicCache

from lifelong.core import Adapter, Message
from lifelong.serving import ChatReply, ChatRequest, ConversationCache, ConversationCaches, EmbeddedEngine
from lifelong.serving import conversation_cache as module


@pytest.fixture
def engine(tiny_model: Path) -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tiny_model, dtype="float32", device="cpu", batch_size=4)
    yield engine
    engine.close()


@pytest.fixture
def read(engine: EmbeddedEngine) -> list[int]:
    """How many tokens each forward pass of the engine reads, padding included."""
    widths: list[int] = []
    engine.network.get_input_embeddings().register_forward_hook(lambda _module, inputs, _output: widths.append(inputs[0].numel()))
    return widths


def opening(name: str) -> list[Message]:
    return [{"role": "system", "content": "Work the tickets, one after the other."}, {"role": "user", "content": f"Ticket of {name}"}]


def dialogue(engine: EmbeddedEngine, names: list[str], turns: int, *, keep: bool, **options: object) -> list[list[ChatReply]]:
    """Conversations led side by side, turn by turn."""
    caches = [ConversationCache() if keep else None for _ in names]
    messages = [opening(name) for name in names]
    found: list[list[ChatReply]] = []
    for turn in range(turns):
        requests = [
            ChatRequest(messages=list(said), max_tokens=10, cache=cache, **options)  # type: ignore[arg-type]
            for said, cache in zip(messages, caches, strict=True)
        ]
        replies = engine.chat(requests)
        for said, reply in zip(messages, replies, strict=True):
            said += [{"role": "assistant", "content": reply.text}, {"role": "user", "content": f"result {turn}" * (1 + turn % 2)}]
        found.append(replies)
    return found


@pytest.mark.parametrize("names", [["Ada"], ["Ada", "Bob of the longer name", "Cy"]])
def test_a_conversation_goes_on_the_same_and_reads_only_what_is_new(engine: EmbeddedEngine, read: list[int], names: list[str]) -> None:
    anew = dialogue(engine, names, 4, keep=False)
    cost = sum(read)
    read.clear()
    taken_up = dialogue(engine, names, 4, keep=True)
    assert [[reply.text for reply in turn] for turn in taken_up] == [[reply.text for reply in turn] for turn in anew]
    for one, other in zip(taken_up, anew, strict=True):
        assert [reply.logprob for reply in one] == pytest.approx([reply.logprob for reply in other], abs=1e-4)
    assert sum(read) < cost / 2
    cached = [[reply.usage.cached_tokens for reply in turn] for turn in taken_up]
    assert cached[0] == [0] * len(names)
    for before, after in pairwise(taken_up):
        for earlier, later in zip(before, after, strict=True):
            # All but what was said since, and at most a few tokens where the answer is written otherwise in the next prompt.
            assert earlier.usage.prompt_tokens - 1 <= later.usage.cached_tokens < later.usage.prompt_tokens
    assert all(reply.usage.cached_tokens == 0 for turn in anew for reply in turn)


def test_another_conversation_uses_only_the_beginning_that_both_share(engine: EmbeddedEngine) -> None:
    cache = ConversationCache()
    [first] = engine.chat([ChatRequest(messages=opening("Ada"), max_tokens=10, cache=cache)])
    other = ChatRequest(messages=opening("Zoe"), max_tokens=10)
    [alone], [reused] = engine.chat([other]), engine.chat([replace(other, cache=cache)])
    assert (reused.text, reused.finish_reason) == (alone.text, alone.finish_reason)
    assert 16 <= reused.usage.cached_tokens < first.usage.prompt_tokens - 3
    # The same once more: all but the last token was read.
    [again] = engine.chat([replace(other, cache=cache)])
    assert again.usage.cached_tokens == again.usage.prompt_tokens - 1
    assert again.text == alone.text


def test_what_one_network_has_read_is_nothing_to_another(engine: EmbeddedEngine, tiny_adapter: Callable[..., Adapter]) -> None:
    engine.publish(tiny_adapter("lifelong-v0001", seed=3))
    cache = ConversationCache()
    request = ChatRequest(messages=opening("Ada"), max_tokens=10, cache=cache)
    engine.chat([request])
    adapted = replace(request, adapter="lifelong-v0001")
    [alone] = engine.chat([replace(adapted, cache=None)])
    [found] = engine.chat([adapted])
    assert (found.text, found.usage.cached_tokens) == (alone.text, 0)
    assert engine.chat([adapted])[0].usage.cached_tokens > 0
    # A retired adapter's network is not kept alive by a conversation.
    network = cache._network
    assert network is not None
    engine.retire("lifelong-v0001")
    gc.collect()
    assert network() is None


def test_streams_and_batches_mix_what_was_read_with_what_was_not(engine: EmbeddedEngine) -> None:
    cache = ConversationCache()
    first = ChatRequest(messages=opening("Ada"), max_tokens=10, cache=cache)
    *_, last = engine.stream(first)
    assert last.reply is not None
    assert cache.tokens
    requests = [ChatRequest(messages=opening(name), max_tokens=10) for name in ("Bob", "Cy")]
    alone = [engine.chat([request])[0].text for request in (replace(first, cache=None), *requests)]
    together = engine.chat([first, *requests])
    assert [reply.text for reply in together] == alone
    assert [reply.usage.cached_tokens > 0 for reply in together] == [True, False, False]


def test_what_is_too_long_or_cannot_be_cut_is_not_kept(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ConversationCache()
    request = ChatRequest(messages=opening("Ada"), max_tokens=10, cache=cache)
    engine.chat([request])
    monkeypatch.setattr(module, "LONGEST", 20)
    engine.chat([request])
    assert (cache.tokens, cache.layers) == ([], [])
    monkeypatch.setattr("lifelong.serving.decoding.decode.can_keep", lambda cache: False)
    monkeypatch.setattr(module, "LONGEST", 8192)
    engine.chat([request])
    assert cache.tokens == []


def test_only_caches_of_keys_and_values_in_a_row_can_be_kept() -> None:
    from transformers.cache_utils import DynamicSlidingWindowLayer

    cache = DynamicCache()
    cache.update(torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 4), 0)
    assert module.can_keep(cache)
    cache.layers.append(DynamicSlidingWindowLayer(sliding_window=8))
    assert not module.can_keep(cache)


def test_conversations_are_kept_by_name_and_the_oldest_go() -> None:
    caches = ConversationCaches(kept=100)
    first, second = caches.of("a"), caches.of("b")
    assert first is not None
    assert second is not None
    assert caches.of("a") is first
    assert caches.of("") is None
    second.tokens = [1] * 60
    first.tokens = [1] * 98
    assert caches.of("a") is first, "the one that goes on is not counted"
    assert caches.of("b") is second
    third = caches.of("c")
    assert third is not None
    third.tokens = [1] * 10
    assert caches.of("b") is second
    assert caches.of("a") is not first, "it went on longest ago"
    for number in range(1000):
        caches.of(f"empty {number}")
    assert len(caches._of) < 120
