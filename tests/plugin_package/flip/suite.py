"""A benchmark of two rows: how many words each engine writes backwards."""

from __future__ import annotations

from pathlib import Path

from flip.engine import FlipEngine
from flip.environment import FlipEnvironment
from lifelong.core import Settings
from lifelong.evals import Row, Suite
from lifelong.serving import ChatRequest

SUITE = Suite(name="flip", shows="whether a word is written backwards", needs="nothing", module="suite", package="flip")


def run(*, quick: bool, seeds: int, data: Path | None) -> list[Row]:
    environment, engine = FlipEnvironment(), FlipEngine(Settings())
    tasks = environment.tasks("test", 4 if quick else 40)
    scores = dict.fromkeys(("flip", "silence"), 0.0)
    for task in tasks:
        (reply,) = engine.chat([ChatRequest(messages=[{"role": "user", "content": task.text}])])
        for method, text in (("flip", reply.text), ("silence", "")):
            environment.reset(options={"task": task})
            scores[method] += environment.step(text)[1] / len(tasks)
    count = len(tasks)
    return [Row(case="words", method=name, metric="success_rate", value=value, n=count, seeds=seeds) for name, value in scores.items()]
