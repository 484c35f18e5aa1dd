"""The engine's contract check passes for every member and catches engines that break a rule."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import pytest
from wire import Handler, Protocol, Server

from lifelong.checks.engine import check_engine
from lifelong.core import Adapter, LifelongError
from lifelong.serving import (
    MEMBERS,
    ChatPiece,
    ChatReply,
    ChatRequest,
    Choice,
    EmbeddedEngine,
    OpenAIEngine,
    VLLMEngine,
    in_one_piece,
    seal_adapter,
)


@contextmanager
def server() -> Iterator[str]:
    """A server that speaks as vLLM does, with replies of a model that counts."""
    protocol = Protocol(counts=True, runtime_lora=True)
    with Server(("127.0.0.1", 0), type("Bound", (Handler,), {"protocol": protocol})) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.mark.parametrize("name", MEMBERS)
def test_every_member_keeps_the_rules(name: str, tiny_model: Path, tiny_adapter: Callable[..., Adapter]) -> None:
    adapter = tiny_adapter(f"rules-{name}-v1", seed=1)
    if name == "embedded":
        check_engine(EmbeddedEngine(tiny_model, dtype="float32", device="cpu"), adapter=adapter)
        return
    with server() as url:
        if name == "vllm":
            check_engine(VLLMEngine("tiny", url=url, linger=0.05), adapter=replace(adapter, base="tiny", path=_copy_for("tiny", adapter)))
        elif name == "openai":
            check_engine(OpenAIEngine("tiny", url=url))
        else:
            raise AssertionError(f"the new engine {name!r} needs a line here")


def _copy_for(base: str, adapter: Adapter) -> str:
    """The adapter's files, recorded for another base."""
    path = Path(shutil.copytree(adapter.path, f"{adapter.path}-copy"))
    config = json.loads((path / "adapter_config.json").read_text())
    (path / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": base}))
    seal_adapter(path)
    return str(path)


class Reversed(EmbeddedEngine):
    """Hands replies back in the wrong order."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        return super().chat(requests)[::-1]


class Boastful(EmbeddedEngine):
    """Surer than sure."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        return [replace(reply, logprob=0.5) for reply in super().chat(requests)]


class Unconstrained(EmbeddedEngine):
    """Overlooks the choices."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        return super().chat([replace(request, choices=()) for request in requests])


class FirstOption(EmbeddedEngine):
    """Always takes the first option."""

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        return replace(super().choose(request, options), index=0)


class OneAdapter(EmbeddedEngine):
    """Answers everything with the base."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        super().chat(requests)
        return super().chat([replace(request, adapter="") for request in requests])


class Crashing(EmbeddedEngine):
    """Raises an error without a name where a text is unusual."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        for request in requests:
            request.messages[-1]["content"].encode()
        return super().chat(requests)


class Nothing(EmbeddedEngine):
    """Gives no reply at all."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        return None  # type: ignore[return-value]


class Unnamed(EmbeddedEngine):
    """Refuses with an error of Python's own."""

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        return super().choose(request, [options[0], *options[1:]])


class Undead(EmbeddedEngine):
    """Answers after it was closed."""

    def close(self) -> None:
        pass


class Forgetful(EmbeddedEngine):
    """Fails when it is closed twice."""

    def close(self) -> None:
        del self.tokenizer
        super().close()


class Whole(EmbeddedEngine):
    """Streams a reply that is not the one it gives."""

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        yield from in_one_piece(self.chat([replace(request, messages=[{"role": "user", "content": "another"}])])[0])


class Endless(EmbeddedEngine):
    """Gives no reply with the last piece."""

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        yield from (replace(piece, reply=None) for piece in super().stream(request))


class Busy(EmbeddedEngine):
    """Writes a reply to its end in the background, whoever still reads it."""

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        pieces: SimpleQueue[ChatPiece] = SimpleQueue()
        writing = super().stream(request)

        def work() -> None:
            with suppress(LifelongError):  # the engine may be closed meanwhile
                for piece in writing:
                    pieces.put(piece)

        threading.Thread(target=work, daemon=True).start()
        while True:
            piece = pieces.get(timeout=60)
            yield piece
            if piece.reply:
                return


class Deaf(EmbeddedEngine):
    """Overlooks the texts that end a reply."""

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        return super().chat([replace(request, stop=()) for request in requests])


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (Whole, "joined, are its text"),
        (Endless, "last piece of a stream has the reply"),
        (Busy, "closed stream stops the work"),
        (Deaf, "text of `stop` ends the reply"),
        (Reversed, "order"),
        (Boastful, "at most 0"),
        (Unconstrained, "one of the choices"),
        (FirstOption, "likeliest|order of the options"),
        (OneAdapter, "changes the answers"),
        (Crashing, "any text is answered.*UnicodeEncodeError"),
        (Nothing, "requests of text are answered.*TypeError"),
        (Unnamed, "no options is refused with a named error.*IndexError"),
        (Undead, "closed engine is refused"),
        (Forgetful, "closed twice.*AttributeError"),
    ],
)
def test_a_broken_rule_is_found(tiny_model: Path, tiny_adapter: Callable[..., Adapter], broken: type[EmbeddedEngine], rule: str) -> None:
    engine = broken(tiny_model, dtype="float32", device="cpu")
    try:
        with pytest.raises(AssertionError, match=rule):
            check_engine(engine, adapter=tiny_adapter("rules-v1", seed=1))
    finally:
        EmbeddedEngine.close(engine)  # a thread that is still at work ends with it


def test_what_is_no_engine_is_said_to_be_none() -> None:
    with pytest.raises(AssertionError, match="every member of the protocol"):
        check_engine(object())  # type: ignore[arg-type]
