"""`OpenAIResponses`: OpenAI's responses protocol (https://platform.openai.com/docs/api-reference/responses), which Codex speaks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from pydantic import BaseModel, Field, StrictBool, ValidationError

from ....core import Answer, Conversation, MalformedTask, Message, Reply, ToolCall, Usage, tool_call
from .fields import Text, validation_message
from .options import chosen_tool, flag, mapping, shared_options
from .parts import cached_tokens, check_last, joined, token_count
from .writing import in_pieces, json_object, named_event

ROLES = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}
TOOL_MODES = {"auto": "auto", "none": "none", "required": "required"}
REFUSED = ("n", "previous_response_id", "conversation", "prompt", "background")
"""What is kept at OpenAI's servers, and what this protocol does not have and others do."""
LOGPROBS = "message.output_text.logprobs"
"""What `include` lists for the log-probabilities of tokens."""
CUSTOM: dict[str, Any] = {"parameters": {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}}
"""A tool that takes a text, as a function that takes an object with one."""
ENDS = ("response.completed", "response.incomplete", "response.failed", "error")
"""Events that end a stream."""
CALLED_WITH = ("arguments", "input", "action", "operation")
"""Where the items of calls say what is called with."""


class ResponsesBody(BaseModel):
    """A request for a response. Fields that are not named here are ignored."""

    model: Text = Field("lifelong", max_length=512)
    input: Text | list[dict[str, Any]]
    instructions: Text | None = None
    stream: StrictBool | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    max_output_tokens: int | None = Field(None, ge=1, le=1_000_000)
    tools: list[dict[str, Any]] | None = None
    user: Text | None = None


class OpenAIResponses:
    """An `EngineCodec`. Reasoning and calls of tools that the server runs itself are passed on and not remembered.

    An engine of ours does not reason and runs no tools itself; it is not told of those that only a server could run.
    """

    name = "openai-responses"
    path = "/v1/responses"
    member = "input"
    id_prefix = "resp_"

    def parse(self, body: object) -> Conversation:
        """See `Codec.parse`. Calls that follow each other, and what is said beside them, are one turn of the assistant."""
        try:
            read = ResponsesBody.model_validate(body)
        except ValidationError as error:
            raise MalformedTask(validation_message(error)) from None
        messages: list[Message] = []
        sources: list[int] = []
        if read.instructions is not None:
            messages.append({"role": "system", "content": read.instructions})
            sources.append(-1)
        items = [{"role": "user", "content": read.input}] if isinstance(read.input, str) else read.input
        for number, item in enumerate(items):
            found = _message(item, number)
            if found is None:
                continue
            if found["role"] == "assistant" and messages and messages[-1]["role"] == "assistant":
                messages[-1] = _merged(messages[-1], found)
                continue
            messages.append(found)
            sources.append(number)
        check_last(messages)
        return Conversation(
            messages=tuple(messages),
            sources=tuple(sources),
            model=read.model,
            user=read.user or "",
            stream=bool(read.stream),
            include_usage=bool(read.stream),
            temperature=read.temperature or 0.0,
            max_tokens=read.max_output_tokens,
            tools=tuple(_tools(read.tools or ())),
        )

    def options(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """See `EngineCodec.options`."""
        found = shared_options(body, refused=REFUSED)
        allowed = "'auto', 'none', 'required', or of type 'function' with a name"
        found |= chosen_tool(body.get("tool_choice"), modes=TOOL_MODES, named="function", allowed=allowed)
        if not flag(body, "parallel_tool_calls", default=True):
            found["parallel_tool_calls"] = False
        included = body.get("include")
        if isinstance(included, list) and LOGPROBS in included:
            found["logprobs"] = True
        form = mapping(mapping(body, "text"), "format")
        if form.get("type") == "json_schema":
            found["response_format"] = {"type": "json_schema", "json_schema": {name: form[name] for name in form if name != "type"}}
        elif form and form.get("type") != "text":
            found["response_format"] = form
        return found

    def reply(self, reply: Reply, conversation: Conversation) -> dict[str, Any]:
        """A whole response; what lies behind the answer is under `lifelong`."""
        return _response(reply, conversation, "incomplete" if reply.cut else "completed", _items(reply, conversation))

    def writer(self, reply: Reply, conversation: Conversation) -> ResponseWriter:
        """A message with one text, if there is any, and an item for each call of a function."""
        return ResponseWriter(reply, conversation)

    def stream(self, reply: Reply, conversation: Conversation) -> Iterator[str]:
        """The events of a whole response."""
        return in_pieces(self.writer(reply, conversation), reply)

    def error(self, kind: str, message: str) -> dict[str, Any]:
        """OpenAI's shape of an error."""
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}

    def error_events(self, kind: str, message: str) -> bytes:
        """The error as an event, which ends the stream."""
        return named_event("error", {"type": "error", "code": kind, "message": message, "param": None, "sequence_number": 0}).encode()

    def read_reply(self, body: Mapping[str, Any]) -> Answer | None:
        """A whole response: its messages and the calls of functions."""
        try:
            if body.get("object") != "response":
                return None
            turns = [_message(item, number) for number, item in enumerate(body["output"])]
            message: Message = {"role": "assistant", "content": ""}
            for turn in turns:
                if turn is not None and turn["role"] == "assistant":
                    message = _merged(message, turn)
            status = str(body.get("status") or "")
            return Answer(
                id=str(body.get("id") or ""),
                message=message,
                usage=_read_usage(body.get("usage")),
                finish_reason=status,
                complete=status in ("completed", "incomplete"),
            )
        except (KeyError, TypeError, AttributeError, ValueError):
            return None

    def read_stream(self) -> ResponsesStream:
        """Waits for the event that holds the whole response."""
        return ResponsesStream(self)

    def schema(self) -> dict[str, Any]:
        """JSON Schema of a request; fields that it does not name are passed over."""
        return ResponsesBody.model_json_schema()


class ResponseWriter:
    """A `ReplyWriter`. Its events are numbered from 0 on."""

    def __init__(self, reply: Reply, conversation: Conversation) -> None:
        self._reply = reply
        self._conversation = conversation
        self._number = 0
        self._place = {"item_id": _message_id(reply), "output_index": 0, "content_index": 0}
        self._begun = False

    def begin(self) -> str:
        response = _response(self._reply, self._conversation, "in_progress", [])
        return self._event("response.created", response=response) + self._event("response.in_progress", response=response)

    def text(self, piece: str) -> str:
        return self._begin_text() + self._event("response.output_text.delta", **self._place, delta=piece, logprobs=[])

    def end(self, reply: Reply) -> str:
        out = "" if reply.tool_calls else self._begin_text()
        items = _items(reply, self._conversation)
        if self._begun:
            part = items[0]["content"][0]
            out += self._event("response.output_text.done", **self._place, text=reply.text, logprobs=part["logprobs"])
            out += self._event("response.content_part.done", **self._place, part=part)
            out += self._event("response.output_item.done", output_index=0, item=items[0])
        for index, item in enumerate(items):
            if item["type"] != "message":
                out += self._call(index, item)
        whole = _response(reply, self._conversation, "incomplete" if reply.cut else "completed", items)
        return out + self._event(f"response.{whole['status']}", response=whole)

    def _begin_text(self) -> str:
        if self._begun:
            return ""
        self._begun = True
        item = {**_item(self._reply, "in_progress"), "content": []}
        added = self._event("response.output_item.added", output_index=0, item=item)
        return added + self._event("response.content_part.added", **self._place, part=_part("", ()))

    def _call(self, index: int, item: dict[str, Any]) -> str:
        custom = item["type"] == "custom_tool_call"
        kind, member = ("custom_tool_call_input", "input") if custom else ("function_call_arguments", "arguments")
        place, written = {"item_id": item["id"], "output_index": index}, item[member]
        out = self._event("response.output_item.added", output_index=index, item={**item, member: "", "status": "in_progress"})
        out += self._event(f"response.{kind}.delta", **place, delta=written)
        out += self._event(f"response.{kind}.done", **place, **{member: written}, **({} if custom else {"name": item["name"]}))
        return out + self._event("response.output_item.done", output_index=index, item=item)

    def _event(self, kind: str, **fields: Any) -> str:
        number, self._number = self._number, self._number + 1
        return named_event(kind, {"type": kind, "sequence_number": number, **fields})


class ResponsesStream:
    """A `StreamReader`. The last event repeats the whole response; some servers leave its items out, which were sent one by one before."""

    def __init__(self, codec: OpenAIResponses) -> None:
        self._codec = codec
        self._items: list[Any] = []
        self._answer: Answer | None = None

    def take(self, name: str, data: str) -> bool:
        """See `StreamReader.take`."""
        try:
            event = json.loads(data)
            kind = event.get("type") or name
        except (ValueError, AttributeError, RecursionError):
            return False
        if kind == "response.output_item.done":
            self._items.append(event.get("item"))
        if kind not in ENDS:
            return False
        response = event.get("response")
        if isinstance(response, dict):
            about = {"object": "response", "status": kind.removeprefix("response."), **response}
            self._answer = self._codec.read_reply({**about, "output": response.get("output") or self._items})
        return True

    def answer(self) -> Answer | None:
        """See `StreamReader.answer`."""
        return self._answer


def _message(item: dict[str, Any], number: int) -> Message | None:
    kind = str(item.get("type") or "message")
    if kind.endswith("_call") and item.get("call_id"):
        return {"role": "assistant", "content": "", "tool_calls": [_call(item, kind)]}
    if kind.endswith(("_call_output", "tool_search_output")) and item.get("call_id"):
        return {"role": "tool", "content": _output(item), "tool_call_id": str(item["call_id"])}
    if kind != "message":
        return None
    role = ROLES.get(str(item.get("role")))
    content = item.get("content")
    parts_are_objects = isinstance(content, list) and all(isinstance(part, dict) for part in content)
    if role is None or not (isinstance(content, str) or parts_are_objects):
        raise MalformedTask(f"input.{number}: a message needs a role (user, assistant, system or developer) and content")
    said = joined(content)
    return cast(Message, {"role": role, "content": _without_refusals(said) if role == "assistant" else said})


def _call(item: dict[str, Any], kind: str) -> ToolCall:
    """A call that the client carries out: a function, a tool that takes text, a shell, a patch. What the server runs has no `call_id`."""
    written = next((item[name] for name in CALLED_WITH if item.get(name) is not None), "")
    name = str(item.get("name") or kind.removesuffix("_call"))
    return tool_call(name, written if isinstance(written, str) else json.dumps(written, ensure_ascii=False), str(item["call_id"]))


def _output(item: dict[str, Any]) -> str | list[dict[str, Any]]:
    output = item.get("output")
    if isinstance(output, list) and all(isinstance(part, dict) and "type" in part for part in output):
        return joined(output)
    return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False) if output else ""


def _without_refusals(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text") or part.get("refusal") or "") for part in content)


def _merged(before: Message, after: Message) -> Message:
    text = "\n".join(str(one["content"]) for one in (before, after) if one["content"])
    calls = [*before.get("tool_calls", ()), *after.get("tool_calls", ())]
    return {"role": "assistant", "content": text, "tool_calls": calls} if calls else {"role": "assistant", "content": text}


def _tools(tools: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Functions and tools that take text, those inside a `namespace` too; what the server runs itself is left out."""
    for one in tools:
        if isinstance(one, dict) and one.get("type") == "namespace":
            yield from _tools(one.get("tools") or ())
        elif isinstance(one, dict) and one.get("type") in ("function", "custom"):
            kept = {name: one[name] for name in ("name", "description", "parameters") if one.get(name) is not None}
            custom = {"custom": True} if one["type"] == "custom" else {}
            yield {"type": "function", "function": {"name": "", **(CUSTOM if custom else {}), **kept}, **custom}


def _response(reply: Reply, conversation: Conversation, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    read, written = reply.usage.prompt_tokens, reply.usage.completion_tokens
    usage = {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": reply.usage.cached_tokens},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }
    return {
        "id": reply.id,
        "object": "response",
        "created_at": reply.created,
        "status": status,
        "model": reply.model,
        "output": output,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "temperature": conversation.temperature,
        "tool_choice": "auto",
        "tools": [_shown_tool(tool) for tool in conversation.tools],
        "top_p": 1.0,
        "usage": usage if output else None,
        **({"lifelong": dict(reply.details)} if reply.details else {}),
    }


def _shown_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    about = tool["function"]
    if tool.get("custom"):
        return {"type": "custom", "name": about["name"], "description": about.get("description") or ""}
    return {"type": "function", "strict": False, "parameters": None, **about}


def _items(reply: Reply, conversation: Conversation) -> list[dict[str, Any]]:
    """The items of an answer: what it says, where it says something or does nothing else, and its calls."""
    status = "incomplete" if reply.cut else "completed"
    said = {**_item(reply, status), "content": [_part(reply.text, reply.logprobs)]}
    custom = {tool["function"]["name"] for tool in conversation.tools if tool.get("custom")}
    calls = [_call_item(call, status, custom=call["function"]["name"] in custom) for call in reply.tool_calls]
    return [said, *calls] if reply.text or not calls else calls


def _call_item(call: ToolCall, status: str, *, custom: bool) -> dict[str, Any]:
    about = {"call_id": call["id"], "status": status, "name": call["function"]["name"]}
    if custom:
        written = json_object(call["function"]["arguments"])
        return {"type": "custom_tool_call", "id": f"ctc_{call['id']}", **about, "input": str(written.get("input", ""))}
    return {"type": "function_call", "id": f"fc_{call['id']}", **about, "arguments": call["function"]["arguments"]}


def _item(reply: Reply, status: str) -> dict[str, Any]:
    return {"type": "message", "id": _message_id(reply), "status": status, "role": "assistant"}


def _message_id(reply: Reply) -> str:
    return f"msg_{reply.id.removeprefix(OpenAIResponses.id_prefix)}"


def _part(text: str, logprobs: Iterable[tuple[str, float]]) -> dict[str, Any]:
    tokens = [{"token": token, "logprob": logprob, "bytes": list(token.encode()), "top_logprobs": []} for token, logprob in logprobs]
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": tokens}


def _read_usage(usage: Any) -> Usage:
    if not isinstance(usage, dict):
        return Usage()
    return Usage(
        prompt_tokens=token_count(usage, "input_tokens"),
        completion_tokens=token_count(usage, "output_tokens"),
        cached_tokens=cached_tokens(usage, "input_tokens_details"),
    )
