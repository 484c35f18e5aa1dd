"""A client of somebody's own protocol, which is held to the contract first."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from running_gateway import EchoEngine, RunningGateway

from lifelong.checks import CodecSamples, check_codec
from lifelong.interfaces.gateway.app import CODECS

PLAIN = CodecSamples(
    request=lambda turns: {"turns": [list(turn) for turn in turns]},
    streamed={"stream": True},
    text_of=lambda body: body["text"],
    text_of_stream=lambda events: "".join(json.loads(event.removeprefix("data: "))["text"] for event in events),
    error_text=lambda body: body["problem"],
    refused=({"turns": [["wizard", "x"]]},),
)


def ask(name: str) -> None:
    """Check the codec of that name, and ask a running gateway by it."""
    [codec] = [one for one in CODECS if one.name == name]
    check_codec(codec, PLAIN)
    with tempfile.TemporaryDirectory() as home:
        gateway = RunningGateway(Path(home), EchoEngine())
        try:
            answer = gateway.post(codec.path, {"turns": [["user", "hello"]]})
            assert answer.json()["text"] == "HELLO", answer.text
            refused = gateway.post(codec.path, {"turns": []})
            assert refused.status_code == 400, refused.text
            assert "turns" in refused.json()["problem"]
        finally:
            gateway.close()
