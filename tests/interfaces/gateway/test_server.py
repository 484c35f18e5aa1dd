"""The limits of the process: open files, the port, the log."""

from __future__ import annotations

import logging
import resource
import socket
import subprocess
import sys

import pytest

from lifelong.core import StoreError
from lifelong.core.settings import GatewaySettings
from lifelong.interfaces.gateway.server import BoundedLog, connection_limit, listen


def test_a_taken_port_is_a_clear_error() -> None:
    refused = pytest.raises(StoreError, match=r"port \d+ of 127.0.0.1 cannot be opened .* --port")
    with socket.create_server(("127.0.0.1", 0)) as taken, refused:
        listen("127.0.0.1", taken.getsockname()[1])


def test_connections_fit_the_file_limit_and_the_queue() -> None:
    assert connection_limit(GatewaySettings(), 65_536) == 512
    assert connection_limit(GatewaySettings(max_running=500, max_waiting=500), 65_536) == 1064
    assert connection_limit(GatewaySettings(), 1024) == 512
    assert connection_limit(GatewaySettings(), 512) + 128 + 192 + 128 <= 512
    assert connection_limit(GatewaySettings(), 10) == 2


def test_the_file_limit_is_raised_and_never_beyond_what_is_allowed() -> None:
    script = (
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (256, 2048))\n"
        "from lifelong.interfaces.gateway.server import raise_file_limit\n"
        "print(raise_file_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2048:
        pytest.skip("this machine allows fewer open files")
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["2048", "2048", "2048"]


def test_a_bounded_log_says_how_much_it_left_out() -> None:
    bounded = BoundedLog(most=3, seconds=3600)

    def offered(text: str) -> logging.LogRecord | None:
        record = logging.LogRecord("x", logging.WARNING, "f", 1, text, (), None)
        return record if bounded.filter(record) else None

    assert [bool(offered("again")) for _ in range(10)] == [True] * 3 + [False] * 7
    bounded._since -= 7200
    resumed = offered("later")
    assert resumed is not None
    assert resumed.getMessage() == "later (7 earlier messages were left out)"
