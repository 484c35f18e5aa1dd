"""Nights in milliseconds: a trainer that writes texts in the place of weights, and an engine that does right with any adapter."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scripted import ScriptedEngine, open_scripted

from lifelong.core import Adapter, Task, Usage
from lifelong.learners import Recipe, Sample, TrainingReport
from lifelong.orchestrator import LifelongLearner
from lifelong.serving import ChatRequest, Choice, seal_adapter


class AdaptedEngine(ScriptedEngine):
    """Says and chooses what is right with an adapter, and what is wrong without."""

    def __init__(self) -> None:
        super().__init__(lambda request: "right" if request.adapter else "wrong")
        self.published: dict[str, Adapter] = {}
        self.useless: set[str] = set()

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        helps = bool(request.adapter) and request.adapter not in self.useless
        return Choice(index=0 if helps else len(options) - 1, logprobs=tuple(0.0 for _ in options), usage=Usage())

    def publish(self, adapter: Adapter) -> None:
        self.published[adapter.name] = adapter

    def retire(self, name: str) -> None:
        self.published.pop(name, None)


class FakeTrainer:
    """Stands for `train_lora`; keeps what it was given."""

    def __init__(self, before: Callable[[Sequence[Sample]], None] = lambda samples: None) -> None:
        self.trained: list[tuple[str, list[Sample], Recipe]] = []
        self.before = before

    def __call__(
        self, samples: Sequence[Sample], recipe: Recipe, directory: Path, progress: Any = None, *, provenance: str = ""
    ) -> TrainingReport:
        assert not directory.exists(), "an adapter's directory is written once"
        self.trained.append((directory.name, list(samples), recipe))
        self.before(samples)
        if progress:
            progress(1, 1, 0.0)
        report = TrainingReport(samples=len(samples), steps=1, tokens=100_000, seconds=0.0, loss=(1.0,))
        # As the real one: whole under its name, or not at all.
        draft = directory.with_name(f".{directory.name}.partial")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        (draft / "training.json").write_text(json.dumps({"recipe": asdict(recipe), "report": asdict(report)}))
        (draft / "adapter_config.json").write_text("{}")
        # As if the weights knew everything by heart: what an adapter was made of can be found in it.
        (draft / "adapter_model.safetensors").write_text(json.dumps([asdict(sample) for sample in samples], default=sorted))
        seal_adapter(draft, provenance)
        draft.rename(directory)
        return report


def open_fake(home: Path, monkeypatch: Any, trainer: FakeTrainer | None = None, **values: Any) -> LifelongLearner:
    """A learner whose nights train nothing and publish for real."""
    monkeypatch.setattr("lifelong.orchestrator.phases.consolidate.train_lora", trainer or FakeTrainer())
    learner = open_scripted(home, **values)
    learner._components.engine = AdaptedEngine()
    return learner


def corrected_chats(learner: LifelongLearner, count: int, *, tenant: str = "default", skill: str = "", first: int = 0) -> list[str]:
    """Ask and correct; the correction is what stands first among the options that the engine chooses from."""
    ids = []
    for number in range(first, first + count):
        task = Task(id=f"{tenant}-{skill}-{number}", goal=f"Order {number} of brushes", tenant=tenant, environment="chat", skill=skill)
        episode = learner.wake(task)
        learner.feedback(episode.id, tenant=tenant, success=False, correction=f"[brushes x{number}] ok")
        ids.append(episode.id)
    return ids
