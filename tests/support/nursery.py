"""A process that has loaded the heavy packages and forks a run for every line it reads: `HOME MODEL KILL_PHASE KILL_COUNT`.

Loading them takes seconds, a run takes two; without the fork fifty kills would mostly kill imports. It prints the
child's pid, and `exit STATUS` when the child has ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

FAMILIES = ("lamps", "bells")
CORRECTIONS = 24


def acknowledge(file: Path, line: str) -> None:
    with file.open("a") as stream:
        stream.write(line + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def live(home: Path, model: Path, kill_phase: str, kill_count: int) -> None:
    """Run the stream, noting outside the record what was acknowledged; die by SIGKILL where told to."""
    from toy import ToyEnvironment, open_toy

    from lifelong.orchestrator import LifelongLearner
    from lifelong.runs.stream import Family, Schedule, run_stream

    seen = {"count": 0}

    def tell(what: str, done: int, total: int) -> None:
        if kill_phase and what.endswith(kill_phase):
            seen["count"] += 1
            if seen["count"] == kill_count:
                os.kill(os.getpid(), signal.SIGKILL)

    wake_many = LifelongLearner.wake_many

    def noted(self, tasks, environment, *, ids):  # type: ignore[no-untyped-def]
        episodes = wake_many(self, tasks, environment, ids=ids)
        for episode in episodes:
            acknowledge(home.with_suffix(".acknowledged"), episode.id)
        return episodes

    LifelongLearner.wake_many = noted  # type: ignore[method-assign]
    environments = [ToyEnvironment(name, right) for name, right in zip(FAMILIES, ("white", "green"), strict=True)]
    families = tuple(Family(environment=environment, train=24, test=8, practice=8) for environment in environments)
    with open_toy(home, model, *environments) as learner:
        summary = run_stream(learner, Schedule(families=families, corrections=CORRECTIONS), progress=tell)
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
    print("ready", flush=True)
    for line in sys.stdin:
        home, model, phase, count = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            try:
                live(Path(home), Path(model), phase, int(count))
            except BaseException:
                import traceback

                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(f"exit {status}", flush=True)


if __name__ == "__main__":
    main()
