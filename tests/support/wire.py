"""A small real HTTP server that speaks vLLM's protocol, adapters included, and does what a test turns it to."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lifelong.serving import ChatRequest


@dataclass
class Protocol:
    """What the server knows and what it was asked; the fields are turned by the tests."""

    base: str = "tiny"
    root: str = "/models/tiny"
    adapters: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    runtime_lora: bool = True
    tokenizes: bool = True
    constrains: bool = True
    logprobs: bool = True
    delay: float = 0.0
    status: int = 0
    refuses: tuple[str, ...] = ()
    counts: bool = False
    pause: float = 0.0
    sent: int = 0
    left: threading.Event = field(default_factory=threading.Event)
    calls: list[dict[str, Any]] = field(default_factory=list)
    ends: bytes = b"data: [DONE]\n\n"
    flying: int = 0
    most_flying: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def models(self) -> dict[str, Any]:
        cards: list[dict[str, Any]] = [{"id": self.base, "root": self.root, "parent": None, "max_model_len": 2048}]
        return {"data": cards + [{"id": name, "root": path, "parent": self.base} for name, path in self.adapters.items()]}

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.asked.append((path, body))
        if self.status:
            return self.status, {"error": {"message": "as the test says", "code": self.status}}
        if path == "/v1/load_lora_adapter" and self.runtime_lora:
            if body["lora_name"] in self.adapters:
                return 400, {"error": {"message": f"'{body['lora_name']}' has already been loaded"}}
            self.adapters[body["lora_name"]] = body["lora_path"]
            return 200, "Success"
        if path == "/v1/unload_lora_adapter" and self.runtime_lora:
            return (200, "Success") if self.adapters.pop(body["lora_name"], None) else (404, {"error": {"message": "cannot be found"}})
        if path == "/tokenize" and self.tokenizes:
            text = body.get("prompt") or "".join(message["content"] for message in body["messages"])
            return 200, {"tokens": list(text.encode())}
        if path in ("/v1/chat/completions", "/v1/completions"):
            if body["model"] not in (self.base, *self.adapters):
                return 404, {"error": {"message": f"The model `{body['model']}` does not exist."}}
            if unknown := [name for name in self.refuses if name in body]:
                return 400, {"error": {"message": f"Unsupported parameter: '{unknown[0]}' is not supported with this model."}}
            time.sleep(self.delay)
            return 200, self.chat(body) if path.endswith("chat/completions") else self.score(body)
        return 404, {"detail": "Not Found"}

    def chat(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.counts:
            return self.counted(body)
        choices = body.get("structured_outputs", {}).get("choice")
        text = choices[-1] if choices and self.constrains else f"{body['model']} on {body['messages'][-1]['content']}"
        if "response_format" in body and self.constrains:
            enum = body["response_format"]["json_schema"]["schema"]["properties"]["choice"]["enum"]
            text = json.dumps({"choice": enum[-1]})
        logprobs = {"content": [{"token": "a", "logprob": -0.25}, {"token": "b", "logprob": -0.75}]} if self.logprobs else None
        reason = "length" if body.get("max_tokens", body.get("max_completion_tokens")) == 1 else "stop"
        choice = {"message": {"content": text, "tool_calls": self.calls}, "logprobs": logprobs, "finish_reason": reason}
        return {"choices": [choice], "usage": {"prompt_tokens": 11, "completion_tokens": 2}}

    def counted(self, body: dict[str, Any]) -> dict[str, Any]:
        """A reply as a model gives it: its words and the prompt's bytes are counted, and `max_tokens` cuts it off."""
        structured = body.get("structured_outputs", {})
        # The one grammar that is asked for here has two replies.
        choices = ("colour: red",) if "grammar" in structured else structured.get("choice") or ()
        if "response_format" in body:
            choices = body["response_format"]["json_schema"]["schema"]["properties"]["choice"]["enum"]
        speaker = "base" if body["model"] in (self.base, "base-null") else body["model"]
        words = [max(choices)] if choices else [speaker, "says", *body["messages"][-1]["content"].split()][: body["max_tokens"]]
        text = json.dumps({"choice": words[0]}) if "response_format" in body else " ".join(words)
        stops = [place for stop in body.get("stop", ()) if (place := text.find(stop)) >= 0]
        text = text[: min(stops, default=len(text))]
        usage = {"prompt_tokens": len(body["messages"][-1]["content"].encode()), "completion_tokens": len(words)}
        logprobs = {"content": [{"token": word, "logprob": -0.5} for word in words]}
        reason = "length" if len(words) == body["max_tokens"] and not stops else "stop"
        return {"choices": [{"message": {"content": text}, "logprobs": logprobs, "finish_reason": reason}], "usage": usage}

    def score(self, body: dict[str, Any]) -> dict[str, Any]:
        # A token's log-probability is minus its own number over 100, so that a test can compute it too.
        prompts = [[None, *({str(token): {"logprob": -token / 100}} for token in prompt[1:])] for prompt in body["prompt"]]
        return {"choices": [{"index": i, "prompt_logprobs": prompts[i]} for i in reversed(range(len(prompts)))]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    protocol: Protocol

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self.reply(200, self.protocol.models())
        elif self.path == "/v1/load_lora_adapter" and self.protocol.runtime_lora:
            self.reply(405, {"detail": "Method Not Allowed"})
        else:
            self.reply(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.protocol.lock:
            self.protocol.flying += 1
            self.protocol.most_flying = max(self.protocol.most_flying, self.protocol.flying)
        try:
            answer = self.protocol.answer(self.path, body)
        finally:
            # Before the reply goes out: who has it may ask at once whether anything is still in flight.
            with self.protocol.lock:
                self.protocol.flying -= 1
        if body.get("stream") and answer[0] == 200:
            self.stream(answer[1])
        else:
            self.reply(*answer)

    def stream(self, completion: dict[str, Any]) -> None:
        """The completion as server-sent events, a word at a time, the calls of tools in halves."""
        choice = completion["choices"][0]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.close_connection = True
        scored = (choice["logprobs"] or {}).get("content") or []
        deltas: list[dict[str, Any]] = [{"delta": {"role": "assistant", "content": ""}}]
        deltas += [{"delta": {"content": word}} for word in choice["message"]["content"].replace(" ", " \0").split("\0")]
        for index, call in enumerate(choice["message"].get("tool_calls") or ()):
            name, arguments = call["function"]["name"], call["function"]["arguments"]
            half = len(arguments) // 2
            deltas.append({"delta": {"tool_calls": [{"index": index, "id": call["id"], "function": {"name": name}}]}})
            deltas += [
                {"delta": {"tool_calls": [{"index": index, "function": {"arguments": part}}]}}
                for part in (arguments[:half], arguments[half:])
            ]
        end = {"delta": {}, "finish_reason": choice["finish_reason"], "logprobs": {"content": scored} if scored else None}
        chunks = [{"choices": [{"index": 0, **delta}]} for delta in (*deltas, end)]
        try:
            for chunk in (*chunks, {"choices": [], "usage": completion["usage"]}):
                self.wfile.write(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode())
                self.protocol.sent += 1
                time.sleep(self.protocol.pause)
            self.wfile.write(self.protocol.ends)
        except OSError:
            self.protocol.left.set()

    def reply(self, status: int, body: Any) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *words: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 64
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that give up waiting are part of the tests


def ask(text: str = "hello", **fields: Any) -> ChatRequest:
    return ChatRequest(messages=[{"role": "system", "content": ""}, {"role": "user", "content": text}], **fields)
