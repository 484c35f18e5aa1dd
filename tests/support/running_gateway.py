"""A running gateway with a real learner behind it, on any engine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import httpx

from lifelong.core import Adapter, EngineUnreachable, Message, Settings, Usage, tool_call
from lifelong.core.settings import GatewaySettings
from lifelong.interfaces.gateway.app import create_app
from lifelong.interfaces.gateway.connections import ConnectionGuard, GuardedProtocol
from lifelong.interfaces.gateway.server import make_server
from lifelong.memory import Record, VectorIndex
from lifelong.orchestrator import Components, LifelongLearner
from lifelong.perception import HashedEncoder
from lifelong.serving import ChatPiece, ChatReply, ChatRequest, Choice, Engine
from lifelong.serving.engine import FinishReason

if TYPE_CHECKING:
    import openai


class EchoEngine:
    """Says the last user turn back in capitals; the rest of the learner is real."""

    model = "/somewhere/echo"

    def __init__(self) -> None:
        self.seen: list[list[Message]] = []
        self.requests: list[ChatRequest] = []
        self.down = False
        self.pause = 0.0

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        if self.down:
            raise EngineUnreachable("the engine at http://127.0.0.1:1 does not answer; start it with lifelong serve-model")
        time.sleep(self.pause)
        self.seen += [list(request.messages) for request in requests]
        return [self.reply(request) for request in requests]

    def reply(self, request: ChatRequest) -> ChatReply:
        """What is said; a token is a character. What begins with `call NAME` calls that tool, with the rest as its argument."""
        self.requests.append(request)
        said = str(request.messages[-1]["content"])
        usage = Usage(prompt_tokens=7, completion_tokens=len(said))
        tools = [tool["function"]["name"] for tool in request.tools]
        word, _, rest = said.partition(" ")
        name, _, argument = rest.partition(" ")
        if word == "call" and name in tools and request.messages[-1]["role"] == "user":
            [field] = [*(tool["function"]["parameters"].get("properties") or {"query": {}} for tool in request.tools)][:1]
            call = tool_call(name, {next(iter(field)): argument}, f"call_{len(self.requests)}")
            return ChatReply(text="", usage=usage, logprob=-0.1, finish_reason="tool_calls", tool_calls=(call,))
        text = said.upper()
        stop = next((stop for stop in request.stop if stop in text), "")
        text = text[: text.index(stop)] if stop else text
        cut = text[: request.max_tokens]
        usage = Usage(prompt_tokens=7, completion_tokens=len(cut))
        reason: FinishReason = "stop" if len(cut) == len(text) else "length"
        return ChatReply(text=cut, usage=usage, logprob=-0.1, finish_reason=reason, stop=stop)

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        reply = self.chat([request])[0]
        for start in range(0, len(reply.text), 24):
            yield ChatPiece(text=reply.text[start : start + 24])
        yield ChatPiece(reply=reply)

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        return Choice(index=0, logprobs=tuple(0.0 for _ in options), usage=Usage())

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def publish(self, adapter: Adapter) -> None:
        return None

    def retire(self, name: str) -> None:
        return None

    def close(self) -> None:
        return None


class RunningGateway:
    """A running gateway and everything behind it."""

    def __init__(self, home: Path, engine: Engine, limits: GatewaySettings | None = None, **more: object) -> None:
        self.engine = engine
        limits = limits or GatewaySettings()
        self.record = Record(home / "record.sqlite3")
        plain = {"memory.encoder": "hashed", "memory.recall_statements": 0, "wake.control_share": 0}
        settings = Settings(home=home).with_values({**plain, **more})
        self.learner = LifelongLearner(
            Components(
                settings=settings,
                engine=self.engine,
                encoder=HashedEncoder(),
                record=self.record,
                index=VectorIndex(self.record.index_directory),
                base_path=home,
            )
        )
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = make_server(create_app(self.learner, limits), limits)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()
        import openai  # slow to import: only where a gateway runs

        self.client = openai.OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0, timeout=120)

    @property
    def guard(self) -> ConnectionGuard:
        # What was configured: uvicorn's own name for it is there only once its thread has loaded it.
        return cast("type[GuardedProtocol]", self._server.config.http).guard

    @property
    def connections(self) -> set[object]:
        return self._server.server_state.connections

    def close(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self.learner.close()

    def ask(self, text: str, **more: object) -> openai.types.chat.ChatCompletion:
        return self.client.chat.completions.create(model="lifelong", messages=[{"role": "user", "content": text}], **more)

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        return httpx.post(self.url + path, json=body, headers=headers, timeout=120)
