"""A gateway before a scripted upstream. A module says what the upstream answers by a fixture `script` of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from running_gateway import RunningGateway
from scripted_upstream import PATIENT, Script, ScriptedUpstream, passing_gateway

from lifelong.core.settings import GatewaySettings


@pytest.fixture
def gateway_settings() -> GatewaySettings:
    """A deadline that a loaded machine does not miss; a module that tests another one has a fixture of its own."""
    return PATIENT


@pytest.fixture
def upstream(script: Script) -> Iterator[ScriptedUpstream]:
    opened = ScriptedUpstream(script)
    yield opened
    opened.close()


@pytest.fixture
def gateway(tmp_path: Path, upstream: ScriptedUpstream, gateway_settings: GatewaySettings) -> Iterator[RunningGateway]:
    opened = passing_gateway(tmp_path, upstream, gateway_settings)
    yield opened
    opened.close()
