"""Write down the shapes of real clients' conversations: `PYTHONPATH=tests/support python -m real_clients.record [NAME ...]`.

Of each client two strangers are recorded who say the same words in folders of their own, each with a second turn later.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

from lifelong.interfaces.gateway.app import CODECS
from real_clients import dialects
from real_clients.agents import WAYS, Agent, compact_early
from real_clients.install import PACKAGES, installed
from real_clients.libraries import LIBRARIES
from real_clients.scripted_model import DELEGATION, FOLLOW_UP, PROMPT, Exchange
from real_clients.served import Served
from real_clients.shapes import Recording
from real_clients.workspace import Workspace

RECORDED = ("openai-chat", "openai-responses", "anthropic", "langchain", "langchain-responses")
"""Libraries whose requests repeat the conversation; the others name it."""
PLAIN = {"wake.control_share": 0, "memory.recall_statements": 0}


def record(name: str, folder: Path) -> None:
    """Run one client and write its file."""
    served = Served(folder, **PLAIN)
    made = version(LIBRARIES[name][1].replace("_", "-")) if name in LIBRARIES else PACKAGES[name].version
    recording = Recording(name, made)
    try:
        for person in ("a", "b"):
            workspace = Workspace(folder / person)
            if name in LIBRARIES:
                _keep(recording, served, person, partial(LIBRARIES[name][0], served.url, workspace, [PROMPT, FOLLOW_UP]))
                continue
            agent = Agent(name, folder / f"home-{person}", workspace, served.url)
            _keep(recording, served, person, partial(agent.ask, PROMPT))
            if agent.resumes:
                _keep(recording, served, person, partial(agent.ask, FOLLOW_UP, resume=True))
            assert workspace.copied, f"{name}: the loop did not close"
        if name in WAYS and WAYS[name].delegates:
            _record_delegation(recording, served, name, folder)
        if name == "codex":
            agent = Agent(name, folder / "home-d", Workspace(folder / "d"), served.url)
            compact_early(folder / "home-d")
            _keep(recording, served, "d", partial(agent.ask, PROMPT))
            _keep(recording, served, "d", partial(agent.ask, FOLLOW_UP, resume=True))
    finally:
        served.close()
    recording.save()


def _record_delegation(recording: Recording, served: Served, name: str, folder: Path) -> None:
    agent = Agent(name, folder / "home-c", Workspace(folder / "c"), served.url)
    _keep(recording, served, "c", partial(agent.ask, DELEGATION + PROMPT), child="c/child")


def _keep(recording: Recording, served: Served, conversation: str, run: Callable[[], object], child: str = "") -> None:
    """Run, and add what was asked meanwhile; of a delegation what does not show it is its `child`."""
    before = len(served.model.exchanges)
    run()
    for one in served.model.exchanges[before:]:
        whose = child if child and DELEGATION not in json.dumps(one.body) else conversation
        codec = next(codec for codec in CODECS if one.path.startswith(codec.path))
        answer = codec.read_reply(dialects.of(one.path).write({**one.body, "stream": False}, one.answer, one.id))  # type: ignore[attr-defined]
        recording.add(whose, one.path, _headers(served, one), one.body, answer)


def _headers(served: Served, exchange: Exchange) -> dict[str, str]:
    """The headers that came with a request: the upstream keeps them beside the bytes. Each is given once."""
    seen = served.upstream.seen
    place = next(n for n, (path, _, raw) in enumerate(seen) if path == exchange.path and json.loads(raw) == exchange.body)
    return seen.pop(place)[1]


if __name__ == "__main__":
    for client in sys.argv[1:] or [*RECORDED, *filter(installed, WAYS)]:
        with tempfile.TemporaryDirectory() as place:
            record(client, Path(place))
        print(client, flush=True)
