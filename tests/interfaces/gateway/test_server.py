"""The limits of the process: open files, the port, the log."""

from __future__ import annotations

import logging
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from lifelong.core import StoreError
from lifelong.core.settings import GatewaySettings
from lifelong.interfaces.gateway.server import BoundedLog, connection_limit, listen, switch_often


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


def test_the_interpreter_is_handed_on_sooner_and_never_later() -> None:
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.005)
        switch_often()
        assert sys.getswitchinterval() == pytest.approx(0.0005, rel=0.05)
        sys.setswitchinterval(0.0001)
        switch_often()
        assert sys.getswitchinterval() == pytest.approx(0.0001, rel=0.05)
    finally:
        sys.setswitchinterval(before)


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


SERVED = """
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
from lifelong.core.settings import GatewaySettings
from lifelong.interfaces.gateway.app import create_app
from lifelong.interfaces.gateway.server import listen, make_server
settings = GatewaySettings(max_running=16, max_waiting=16, head_seconds=1)
bound = listen("127.0.0.1", 0)
print(bound.getsockname()[1], flush=True)
make_server(create_app(None, settings), settings).run(sockets=[bound])
"""


def test_more_half_requests_than_open_files_leave_it_answering_with_a_short_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen([sys.executable, "-c", SERVED], stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    halves: list[socket.socket] = []
    try:
        port = int(process.stdout.readline())
        url = f"http://127.0.0.1:{port}/health"
        wait_until_up(url)
        for _ in range(700):
            one = socket.create_connection(("127.0.0.1", port), timeout=10)
            halves.append(one)
            one.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        started = time.perf_counter()
        assert httpx.get(url, timeout=10).status_code == 200
        assert time.perf_counter() - started < 1
        time.sleep(1.5)
        assert httpx.get(url, timeout=10).status_code == 200
        assert log.stat().st_size < 64 * 1024
    finally:
        for one in halves:
            one.close()
        process.terminate()
        process.communicate(timeout=30)


def wait_until_up(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the server did not come up")
