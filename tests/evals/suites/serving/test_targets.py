"""Servers are processes that end with their use."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lifelong.core import EngineUnreachable
from lifelong.evals.suites.serving import stub, targets


def test_a_server_is_a_process_that_ends_with_its_use() -> None:
    port = targets.free_port()
    with targets.started("stub", targets.stub_command(port), port) as server:
        assert targets.answers(port, stub.MODEL)
        assert server.first_answer > 0
        assert server.resident_mb > 1
        assert server.processor_seconds >= 0
    assert server.process.poll() is not None
    assert not targets.answers(port, stub.MODEL)


def test_a_server_that_ends_at_once_is_named_with_its_command() -> None:
    with (
        pytest.raises(EngineUnreachable, match=r"proxy gave no answer.*sys\.exit"),
        targets.started("proxy", [sys.executable, "-c", "import sys; sys.exit(3)"], targets.free_port()),
    ):
        pytest.fail("it was taken for a server")


def test_litellm_is_measured_where_its_command_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert targets.litellm_command(1, 2, tmp_path) is None
    (tmp_path / "litellm").write_text("#!/bin/sh\n")
    (tmp_path / "litellm").chmod(0o755)
    command = targets.litellm_command(1, 2, tmp_path)
    assert command is not None
    assert command[0] == str(tmp_path / "litellm")
    (model,) = json.loads((tmp_path / "litellm.yaml").read_text())["model_list"]
    assert model["litellm_params"]["api_base"] == "http://127.0.0.1:2/v1"
