"""Command line agents in homes of their own: how each is pointed at a gateway, asked without a person, and asked again."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from real_clients.install import program
from real_clients.workspace import Workspace

SECONDS = 120
"""For one prompt; each took 2 to 15 seconds on two cores."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How one agent is used."""

    configure: Callable[[Path, str], Mapping[str, str]]
    """Writes its files into a home so that it asks a gateway's URL; more environment variables."""
    ask: Sequence[str]
    """Arguments of a new conversation; `{prompt}` stands for what is asked."""
    resume: Sequence[str] = ()
    """Arguments that go on with the newest conversation; empty where that needs a terminal and a person."""
    prepare: Sequence[str] = ()
    """Arguments that are run once before."""
    delegates: bool = True
    """Whether it offers its model sub-agents, and waits for them."""


def _codex(home: Path, url: str) -> Mapping[str, str]:
    _write(
        home / ".codex" / "config.toml",
        f"""
        model = "lifelong"
        model_provider = "lifelong"
        [model_providers.lifelong]
        name = "lifelong"
        base_url = "{url}/v1"
        wire_api = "responses"
        """,
    )
    return {"CODEX_HOME": str(home / ".codex")}


def _opencode(home: Path, url: str) -> Mapping[str, str]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "lifelong",
        "options": {"baseURL": f"{url}/v1", "apiKey": "none"},
        "models": {"lifelong": {"name": "lifelong"}},
    }
    settings = {"model": "lifelong/lifelong", "provider": {"lifelong": provider}, "autoupdate": False, "share": "disabled"}
    _write(home / ".config" / "opencode" / "opencode.json", json.dumps(settings))
    return {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_LSP_DOWNLOAD": "1"}


def _cline(home: Path, url: str) -> Mapping[str, str]:
    return {"AI_SDK_LOG_WARNINGS": "false"}


def _continue(home: Path, url: str) -> Mapping[str, str]:
    _write(
        home / "config.yaml",
        f"""
        name: lifelong
        version: 1.0.0
        schema: v1
        models:
          - name: lifelong
            provider: openai
            model: lifelong
            apiBase: {url}/v1
            apiKey: none
            roles: [chat]
            capabilities: [tool_use]
        """,
    )
    return {"CONTINUE_TELEMETRY_ENABLED": "0", "CONTINUE_CLI_ENABLE_TELEMETRY": "0"}


def _qwen(home: Path, url: str) -> Mapping[str, str]:
    _write(home / ".qwen" / "settings.json", json.dumps({"security": {"auth": {"selectedType": "openai"}}}))
    return {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_MODEL": "lifelong"}


WAYS: Mapping[str, Way] = {
    "codex": Way(
        configure=_codex,
        ask=("exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "{prompt}"),
        resume=("exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "resume", "--last", "{prompt}"),
    ),
    "opencode": Way(configure=_opencode, ask=("run", "{prompt}"), resume=("run", "-c", "{prompt}")),
    "cline": Way(
        configure=_cline,
        prepare=("auth", "-p", "openai", "-k", "none", "-b", "{url}/v1", "-m", "lifelong"),
        ask=("-P", "openai", "-m", "lifelong", "{prompt}"),
    ),
    "continue": Way(
        configure=_continue,
        ask=("-p", "--auto", "--config", "{home}/config.yaml", "{prompt}"),
        resume=("-p", "--auto", "--resume", "--config", "{home}/config.yaml", "{prompt}"),
        delegates=False,
    ),
    # Its sub-agents work in the background, and nobody waits for them.
    "qwen": Way(configure=_qwen, ask=("-y", "{prompt}"), resume=("-y", "-c", "{prompt}"), delegates=False),
}
"""Every agent of `PACKAGES`."""


def compact_early(home: Path) -> None:
    """Make Codex compact its history as soon as anything was said."""
    settings = home / ".codex" / "config.toml"
    settings.write_text(f"model_auto_compact_token_limit = 20\n{settings.read_text()}")


class Agent:
    """One agent with a home and a workspace of its own."""

    def __init__(self, name: str, home: Path, workspace: Workspace, url: str) -> None:
        self._way, self._program = WAYS[name], program(name)
        self._home, self._workspace, self._url = home, workspace, url
        home.mkdir(parents=True, exist_ok=True)
        places = {"CONFIG": ".config", "DATA": ".local/share", "STATE": ".local/state", "CACHE": ".cache"}
        self._environment = {
            "PATH": f"{self._program.parent}{os.pathsep}{os.environ['PATH']}",  # a newer Node may lie beside it
            "HOME": str(home),
            "TMPDIR": str(home),
            "TERM": "dumb",
            "NO_COLOR": "1",
            "LANG": "C.UTF-8",
            **{f"XDG_{name}_HOME": str(home / place) for name, place in places.items()},
            **self._way.configure(home, url),
        }

    def ask(self, prompt: str, *, resume: bool = False) -> str:
        """What it prints. Raises `CalledProcessError`, `TimeoutExpired`."""
        if not resume and self._way.prepare:
            self.run(*self._filled(self._way.prepare))
        return self.run(*self._filled(self._way.resume if resume else self._way.ask, prompt=prompt))

    @property
    def resumes(self) -> bool:
        """Whether it goes on with a conversation without a person."""
        return bool(self._way.resume)

    def _filled(self, arguments: Sequence[str], **more: str) -> list[str]:
        return [one.format(home=self._home, url=self._url, **more) for one in arguments]

    def run(self, *arguments: str) -> str:
        """Run the program in its workspace."""
        done = subprocess.run(
            [str(self._program), *arguments],
            cwd=self._workspace.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{self._program.name} ended with {done.returncode}:\n{done.stdout[-4000:]}")
        return done.stdout


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text).lstrip())
