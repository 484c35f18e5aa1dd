"""What the wake case compresses and times."""

from __future__ import annotations

import numpy as np
from made.open_set_texts import made

from lifelong.evals.suites.continual import wake as module
from lifelong.learners import SkillHead


def test_cues_stand_for_every_class_at_fewer_bytes_than_its_vectors() -> None:
    texts = made(160, False, 0)
    recalled, names, size = module._compressed(texts.vectors, texts.labels)
    assert set(names) == set(map(str, range(8)))
    assert len(recalled) == len(names)
    assert size > 0
    means = {label: texts.vectors[texts.labels == int(label)].mean(0) for label in set(names)}
    assert min(float(row @ means[name]) for row, name in zip(recalled, names, strict=True)) > 0.7


def test_timing_takes_back_what_it_taught() -> None:
    texts = made(64, False, 0)
    skills = [str(label) for label in texts.labels]
    head = SkillHead(seed=0)
    head.learn(texts.vectors[:32], skills[:32])
    before = [head.name(vector) for vector in texts.vectors]
    assert module._task_ms(head, texts.vectors[32:40], skills[32:40]) > 0
    after = [head.name(vector) for vector in texts.vectors]
    assert [name for name, _ in before] == [name for name, _ in after]
    assert np.allclose([chance for _, chance in before], [chance for _, chance in after], atol=1e-6)
