from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lifelong.checks.cue_memory import example_episode
from lifelong.core import Adapter, Lesson, LessonStatus, NothingFound
from lifelong.core.settings import MemorySettings
from lifelong.memory import Record, VectorIndex, compress, recall

TENANTS = st.sampled_from(["ann", "ben", "../ann", ""])
SMALL = st.integers(0, 5)


class Tenants(RuleBasedStateMachine):
    """Random recording, erasing, routing and searching by tenants with awkward names; none ever sees another's."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.record = Record(Path(self.folder.name) / "record.sqlite3")
        self.index = VectorIndex(self.record.index_directory, flat_limit=3)
        self.truth: dict[str, set[str]] = {}

    @rule(tenant=TENANTS, number=SMALL)
    def remember(self, tenant: str, number: int) -> None:
        episode = example_episode(number, tenant=tenant or "empty")
        self.record.episodes.record(episode, np.eye(6, dtype=np.float32)[number])
        self.truth.setdefault(episode.task.tenant, set()).add(episode.id)
        lesson = Lesson(
            id=f"lesson of {episode.id}",
            tenant=episode.task.tenant,
            skill="counting",
            text=episode.task.tenant,
            episodes=(episode.id,),
            status=LessonStatus.ACTIVE,
        )
        self.record.lessons.record(lesson)

    @rule(tenant=TENANTS, numbers=st.sets(SMALL))
    def forget(self, tenant: str, numbers: set[int]) -> None:
        ids = {f"{tenant or 'empty'}-{number}" for number in numbers}
        self.record.erase(ids)
        self.truth[tenant or "empty"] = self.truth.get(tenant or "empty", set()) - ids

    @rule(tenant=TENANTS)
    def publish(self, tenant: str) -> None:
        name = self.record.adapters.next_name()
        episodes = tuple(self.truth.get(tenant or "empty", ()))
        self.record.adapters.publish(
            Adapter(name=name, path=tenant, base="b", rank=1, tenant=tenant or "empty", episodes=episodes), ["counting"]
        )

    @rule(tenant=TENANTS)
    def roll_back(self, tenant: str) -> None:
        try:
            self.record.adapters.rollback(tenant or "empty")
        except NothingFound:
            assert not self.record.adapters.routes(tenant or "empty")

    @rule(tenant=TENANTS, most=st.integers(0, 6))
    def shrink(self, tenant: str, most: int) -> None:
        compress(self.record, tenant or "empty", most)
        left = {episode.id for episode in self.record.episodes.find(tenant=tenant or "empty")}
        assert left <= self.truth.get(tenant or "empty", set())
        self.truth[tenant or "empty"] = left

    @rule()
    def save_and_open_again(self) -> None:
        self.index.save(self.record)
        self.index = VectorIndex(self.record.index_directory, flat_limit=3)

    @invariant()
    def each_sees_its_own_and_nothing_else(self) -> None:
        query = np.ones(6, dtype=np.float32)
        for tenant in ("ann", "ben", "../ann", "empty"):
            mine = self.truth.get(tenant, set())
            self.index.sync(self.record, tenant)
            assert {hit.id for hit in self.index.search(self.record, tenant, query, 100)} == mine
            assert set(self.record.episodes.vectors(tenant=tenant)[0]) == mine
            assert {lesson.text for lesson in self.record.lessons.find(tenant)} <= {tenant}
            step = recall(
                self.record,
                self.index,
                tenant=tenant,
                skill="counting",
                vector=query,
                settings=MemorySettings(),
                count_tokens=len,
            )
            assert step is None or set(step.episodes) <= mine
            for name in self.record.adapters.routes(tenant).values():
                assert self.record.adapters.get(name).tenant == tenant

    def teardown(self) -> None:
        self.record.close()
        self.folder.cleanup()


Tenants.TestCase.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)
test_tenants = Tenants.TestCase
