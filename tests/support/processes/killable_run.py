"""Runs of a stream that can be killed: a fork server that has loaded the heavy packages, which takes seconds where a run takes two."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from processes.fork_server import serve

NAMES = ("lamps", "bells")
CORRECTIONS = 24


def acknowledge(file: Path, line: str) -> None:
    with file.open("a") as stream:
        stream.write(line + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def run(home: str | Path, model: str, phase: str = "", count: int = 0) -> None:
    """Run the stream, noting outside the record what was acknowledged; die by SIGKILL where asked to."""
    home = Path(home)
    from toy import ToyEnvironment, open_toy

    from lifelong.orchestrator import LifelongLearner
    from lifelong.runs.stream import RunEnvironment, Schedule, run_stream

    seen = {"count": 0}

    def report(what: str, done: int, total: int) -> None:
        if phase and what.endswith(phase):
            seen["count"] += 1
            if seen["count"] == count:
                os.kill(os.getpid(), signal.SIGKILL)

    wake_many = LifelongLearner.wake_many

    def noted(self, tasks, environment, *, ids):  # type: ignore[no-untyped-def]
        episodes = wake_many(self, tasks, environment, ids=ids)
        for episode in episodes:
            acknowledge(home.with_suffix(".acknowledged"), episode.id)
        return episodes

    LifelongLearner.wake_many = noted  # type: ignore[method-assign]
    environments = [ToyEnvironment(name, right) for name, right in zip(NAMES, ("white", "green"), strict=True)]
    members = tuple(RunEnvironment(environment=environment, train=24, test=8, practice=8) for environment in environments)
    with open_toy(home, Path(model), *environments) as learner:
        summary = run_stream(learner, Schedule(environments=members, corrections=CORRECTIONS), progress=report)
    keep = {key: summary[key] for key in ("stream", "evaluations", "metrics", "corrections")}
    nights = [{key: night[key] for key in ("skill", "adapter", "published", "loss", "gate", "samples")} for night in summary["nights"]]
    partial = home.with_suffix(".partial")
    partial.write_text(json.dumps({**keep, "nights": nights}, sort_keys=True))
    partial.rename(home.with_suffix(".json"))


def main() -> None:
    import peft  # noqa: F401
    import torch
    import trl  # noqa: F401
    from datasets import Dataset  # noqa: F401

    import lifelong.runs.stream
    import lifelong.serving.embedded  # noqa: F401

    torch.set_num_threads(1)
    serve(run)


if __name__ == "__main__":
    main()
