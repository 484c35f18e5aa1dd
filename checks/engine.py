"""The laws of an `Engine`, for its members here and anybody's own."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..core import Adapter, LifelongError
from ..serving import ChatRequest, Engine

QUESTIONS = ("What is the capital of France?", "Count to three.", "Say a colour. " * 20, "?", "naïve Ünïcödé 你好 🙂")
OPTIONS = ("yes", "no", "maybe later")


def check_engine(engine: Engine, *, adapter: Adapter | None = None) -> None:
    """Raise `AssertionError` for the first law that `engine` breaks; it is closed afterwards.

    `adapter`, when given, fits the engine's base, is not yet published, and changes its answers.
    """
    assert isinstance(engine, Engine), "an engine has every member of the protocol"
    assert engine.model, "the base model has a name, since adapters record it"
    _check_chat(engine)
    _check_choices(engine)
    _check_choose(engine)
    assert engine.count_tokens("") == 0, "no text, no tokens"
    assert engine.count_tokens("one two three four") > engine.count_tokens("one"), "a longer text has more tokens"
    if adapter is not None:
        _check_adapter(engine, adapter)
    engine.retire("never-published")
    engine.close()
    engine.close()


def _ask(text: str, *, adapter: str = "", temperature: float = 0.0, choices: tuple[str, ...] = (), max_tokens: int = 8) -> ChatRequest:
    return ChatRequest(
        messages=[{"role": "system", "content": ""}, {"role": "user", "content": text}],
        adapter=adapter,
        max_tokens=max_tokens,
        temperature=temperature,
        seed=3,
        choices=choices,
    )


def _check_chat(engine: Engine) -> None:
    assert engine.chat([]) == [], "no requests, no replies"
    requests = [_ask(question, max_tokens=4 + row) for row, question in enumerate(QUESTIONS)]
    replies = engine.chat(requests)
    assert len(replies) == len(requests), "one reply a request"
    lengths = [engine.count_tokens(question) for question in QUESTIONS]
    read = [reply.usage.prompt_tokens for reply in replies]
    assert sorted(range(len(read)), key=read.__getitem__) == sorted(range(len(read)), key=lengths.__getitem__), "replies keep the order"
    for request, reply in zip(requests, replies, strict=True):
        assert reply.usage.completion_tokens <= request.max_tokens, "a reply has at most `max_tokens` tokens"
        assert reply.finished or reply.usage.completion_tokens == request.max_tokens, "only `max_tokens` cuts a reply off"
        assert -math.inf < reply.logprob <= 0, "a mean log-probability is finite and at most 0"
        assert reply.usage.seconds >= 0, "time does not run backwards"
    assert [r.text for r in engine.chat(requests)] == [r.text for r in replies], "greedy: same batch, same replies (law 1)"
    sampled = _ask(QUESTIONS[0], temperature=1.0)
    assert engine.chat([sampled])[0].text == engine.chat([sampled])[0].text, "sampled: same seed, same reply (law 1)"


def _check_choices(engine: Engine) -> None:
    for reply in engine.chat([_ask(question, choices=OPTIONS) for question in QUESTIONS]):
        assert reply.text in OPTIONS, f"a constrained reply is one of the choices, got {reply.text!r}"


def _check_choose(engine: Engine) -> None:
    choice = engine.choose(_ask(QUESTIONS[0]), OPTIONS)
    assert len(choice.logprobs) == len(OPTIONS), "one log-likelihood an option"
    assert all(value <= 0 for value in choice.logprobs), "log-likelihoods are at most 0"
    assert choice.logprobs[choice.index] == max(choice.logprobs), "the index names the likeliest option"
    again = engine.choose(_ask(QUESTIONS[0]), OPTIONS[::-1])
    assert OPTIONS[::-1][again.index] == OPTIONS[choice.index], "the order of the options does not matter"
    assert engine.choose(_ask(QUESTIONS[0]), ["only"]).index == 0, "a single option wins"
    assert _refuses(lambda: engine.choose(_ask(QUESTIONS[0]), [])), "no options is an error by name"


def _check_adapter(engine: Engine, adapter: Adapter) -> None:
    requests = [_ask(question) for question in QUESTIONS]
    base = [reply.text for reply in engine.chat(requests)]
    assert _refuses(lambda: engine.chat([_ask("?", adapter=adapter.name)])), "an unpublished adapter is an error by name"
    engine.publish(adapter)
    engine.publish(adapter)
    mixed = engine.chat([_ask(question, adapter=name) for question in QUESTIONS for name in ("", adapter.name)])
    assert [reply.text for reply in mixed[::2]] == base, "a published adapter leaves the base alone, in one batch too"
    assert [reply.text for reply in mixed[1::2]] != base, "a published adapter changes the answers that ask for it"
    engine.retire(adapter.name)
    assert _refuses(lambda: engine.chat([_ask("?", adapter=adapter.name)])), "a retired adapter is gone"


def _refuses(call: Callable[[], object]) -> bool:
    try:
        call()
    except LifelongError:
        return True
    return False
