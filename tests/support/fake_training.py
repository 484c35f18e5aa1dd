"""A trainer and an engine in the place of gradients: an adapter is a table of answers by skill, so that a night takes no seconds."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lifelong.core import Adapter, Settings, Usage
from lifelong.envs import Environment
from lifelong.learners import Recipe, Sample, TrainingReport
from lifelong.learners.adapters.lora import REPORT
from lifelong.memory import Record, VectorIndex
from lifelong.orchestrator import Components, LifelongLearner
from lifelong.perception import HashedEncoder
from lifelong.serving import ChatReply, ChatRequest, Choice
from lifelong.serving.adapter_files import seal_adapter

ANSWERS = "answers.json"


def train_fake(
    samples: Sequence[Sample], recipe: Recipe, directory: Path, progress: Callable[..., object] | None = None, *, provenance: str = ""
) -> TrainingReport:
    """Take the place of `train_lora`: the adapter holds the commonest answer of each skill, and the sealed files that a real one has."""
    votes: dict[str, Counter[str]] = {}
    for sample in samples:
        votes.setdefault(sample.skill, Counter())[sample.answer] += 1
    directory.mkdir(parents=True)
    (directory / ANSWERS).write_text(json.dumps({skill: counts.most_common(1)[0][0] for skill, counts in votes.items()}))
    report = TrainingReport(samples=len(samples), steps=1, tokens=len(samples), seconds=0.0, loss=(1.0, 0.1))
    (directory / REPORT).write_text(json.dumps({"recipe": asdict(recipe), "report": asdict(report)}))
    seal_adapter(directory, provenance)
    if progress:
        progress(1, 1, 0.1)
    return report


def use_fake_training(monkeypatch: Any) -> None:
    """Let every module of the orchestrator that trains call `train_fake`."""
    import lifelong.orchestrator as package

    for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(one.name)
        if hasattr(module, "train_lora"):
            monkeypatch.setattr(module, "train_lora", train_fake)


class TableEngine:
    """Answers from the table of the adapter that a request names, for the skill that the request's text names; else `base`."""

    model = "table"

    def __init__(self, base: str = "red") -> None:
        self.base = base
        self.tables: dict[str, dict[str, str]] = {}

    def answer(self, request: ChatRequest) -> str:
        text = " ".join(str(message["content"]) for message in request.messages)
        table = self.tables.get(request.adapter, {})
        return next((answer for skill, answer in table.items() if skill in text), self.base)

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        usage = Usage(prompt_tokens=10, completion_tokens=2)
        return [ChatReply(text=self.answer(request), usage=usage, logprob=-0.1) for request in requests]

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        index = list(options).index(self.answer(request))
        return Choice(index=index, logprobs=tuple(-0.1 if place == index else -5.0 for place in range(len(options))), usage=Usage())

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def publish(self, adapter: Adapter) -> None:
        self.tables[adapter.name] = json.loads((Path(adapter.path) / ANSWERS).read_text())

    def retire(self, name: str) -> None:
        self.tables.pop(name, None)

    def close(self) -> None:
        pass


def open_table(home: Path, *environments: Environment, **values: Any) -> LifelongLearner:
    """A learner on a `TableEngine` with a hashed encoder; everything but the model and its training is real."""
    settings = Settings(home=home).with_values({"wake.control_share": 0.1, "sleep.held_out": 0.4, "model.max_tokens": 8, **values})
    home.mkdir(parents=True, exist_ok=True)
    record = Record(home / "record.sqlite3")
    components = Components(
        settings=settings,
        engine=TableEngine(),
        encoder=HashedEncoder(),
        record=record,
        index=VectorIndex(record.index_directory),
        base_path=home,
    )
    return LifelongLearner(components, {environment.id: environment for environment in environments})
