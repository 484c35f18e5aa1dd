"""The limits of a worker: no descriptor more, no file, bounded memory, and processor time for each request anew."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

MODULE = """
import resource, time
SAMPLE = {"do": "nothing"}

def answer(request):
    try:
        if request["do"] == "limits":
            names = ("RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_CPU")
            return {name: resource.getrlimit(getattr(resource, name))[0] for name in names}
        if request["do"] == "open":
            open("/dev/null")
        if request["do"] == "burn":
            began = time.process_time()
            while time.process_time() - began < request["seconds"]:
                pass
    except OSError as error:
        return {"error": str(error)}
    return {"done": True}
"""
START = "import sys, types; module = types.ModuleType('work'); exec({!r}, module.__dict__); sys.modules['work'] = module; " + (
    "sys.argv = ['worker', 'work']; from lifelong.envs._worker_process import main; main()"
)


def asked(*requests: dict[str, Any], limit: str = "") -> tuple[list[Any], int]:
    """The replies and the exit status of a worker; `limit` is Python that exchanges one of its limits."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([sys.executable, "-c", limit + START.format(MODULE)], input=lines, capture_output=True, text=True, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def test_requests_are_answered_in_order_until_the_input_ends() -> None:
    replies, status = asked({"do": "nothing"}, {"do": "open"}, {"do": "nothing"})
    assert status == 0
    assert replies[0] == replies[2] == {"done": True}
    assert "Too many open files" in replies[1]["error"]


def test_processor_time_is_renewed_for_each_request_and_who_passes_it_is_killed() -> None:
    first, last = asked({"do": "limits"}, {"do": "burn", "seconds": 1.2}, {"do": "limits"})[0][::2]
    assert (first["RLIMIT_NOFILE"], first["RLIMIT_FSIZE"], first["RLIMIT_CORE"]) == (3, 0, 0)
    assert last["RLIMIT_CPU"] > first["RLIMIT_CPU"]
    replies, status = asked(
        {"do": "burn", "seconds": 60}, limit="import lifelong.envs._worker_process as process; process.CPU_SECONDS = 0; "
    )
    assert replies == []
    assert status < 0
