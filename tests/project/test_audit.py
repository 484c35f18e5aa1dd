"""The audit of what the pinned packages bring along: it finds what is wrong, and says what it could not check."""

from __future__ import annotations

import http.server
import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def advisories() -> Iterator[str]:
    """A database that knows a vulnerability of torch and none of anything else."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            results = [{"vulns": [{"id": "X-1"}]} if one["package"]["name"] == "torch" else {} for one in queries]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"results": results}).encode())

        def log_message(self, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run(audit: ModuleType, monkeypatch: pytest.MonkeyPatch, address: str) -> int:
    monkeypatch.setattr(sys, "argv", ["audit.py", "--advisories", address])
    status: int = audit.main()
    return status


def test_a_known_vulnerability_fails_and_is_named(
    audit: ModuleType, advisories: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(audit, monkeypatch, advisories) == 1
    assert "has known vulnerabilities: X-1" in capsys.readouterr().out


def test_every_environment_s_pins_are_asked_about(audit: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("# pins\ntorch==1.0\nnumpy==2.0  # why\n")
    (tmp_path / "b.txt").write_text("torch==2.0 ; sys_platform == 'linux'\n")
    assert audit.pinned([tmp_path / "a.txt", tmp_path / "b.txt"]) == [("numpy", "2.0"), ("torch", "1.0"), ("torch", "2.0")]


def test_a_database_out_of_reach_is_said_and_is_no_failure(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(audit, monkeypatch, "http://127.0.0.1:9") == 0
    out = capsys.readouterr().out
    assert "vulnerabilities not checked" in out
    assert "0 under GPL or AGPL" in out


def test_a_copyleft_licence_in_the_core_fails(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "licence", lambda name: "AGPL-3.0-only" if name == "numpy" else "MIT")
    assert run(audit, monkeypatch, "http://127.0.0.1:9") == 1
    assert "the core brings numpy (AGPL-3.0-only)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "strong"),
    [
        ("GPL-3.0-or-later", True),
        ("AGPL-3.0", True),
        ("GNU General Public License v2 (GPLv2)", True),
        ("GNU General Public License", True),
        ("LGPL-2.1", False),
        ("GNU Lesser General Public License v3", False),
        ("Apache-2.0", False),
    ],
)
def test_strong_copyleft_is_told_from_weak(audit: ModuleType, text: str, strong: bool) -> None:
    assert bool(audit.STRONG_COPYLEFT.search(text)) == strong


def test_only_the_core_is_walked(audit: ModuleType) -> None:
    assert {"httpx", "httpcore", "pydantic-core"} <= audit.closure(["httpx>=0.27,<1", "pydantic"])
    assert "h2" not in audit.closure(["httpx"])
