"""`lifelong` as it is typed, again and again: a process that has loaded the command forks a child for each start of it.

Loading takes most of a short command's time. What only a fresh process shows (the locale, what is imported) is tested with one.
"""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from subprocess import CompletedProcess

from processes.fork_server import ForkServer, serve


def start(*, words: list[str], folder: str, environ: dict[str, str], outputs: str) -> None:
    """Be the command, in the child: its folder, its environment, and files in the place of a terminal."""
    from lifelong.interfaces.cli import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(Path(outputs) / name, os.O_WRONLY | os.O_CREAT), number)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding=environ.get("PYTHONIOENCODING", "utf-8"))  # type: ignore[union-attr]
    sys.path[:0] = filter(None, environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = ["lifelong", *words]
    status: object = 0
    try:
        main()
    except SystemExit as end:
        status = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


@cache
def _server() -> ForkServer:
    server = ForkServer(Path(__file__).name)
    atexit.register(server.close)
    return server


def run_command(*words: str, folder: Path, **environ: str) -> CompletedProcess[str]:
    """`lifelong WORDS` in a folder, without the settings of the environment that the tests run in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIFELONG_")}
    with tempfile.TemporaryDirectory() as outputs:
        _server().begin(words=words, folder=folder, environ={**kept, **environ}, outputs=outputs)
        status = os.waitstatus_to_exitcode(_server().status())
        out, err = ((Path(outputs) / name).read_text(encoding="utf-8") for name in ("out", "err"))
    return CompletedProcess(["lifelong", *words], status, out, err)


if __name__ == "__main__":
    # What the commands import when they run, besides what importing them does; none of it starts a thread.
    for name in ("evals.bench", "interfaces.cli", "memory.sqlite.record", "orchestrator.learner", "runs.job"):
        import_module(f"lifelong.{name}")
    serve(start)
