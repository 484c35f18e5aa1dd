"""Sampled tasks of made-up skills."""

from __future__ import annotations

import numpy as np

from lifelong.perception.recognition.evidence import KnownSkills


def sampled_skills(skills: int = 5, count: int = 20, dimensions: int = 8) -> KnownSkills:
    """Skills `s0`, `s1`, ... with as many tasks each, in two views of so many columns."""
    draw = np.random.default_rng(0)
    banks = []
    for centre in draw.normal(size=(skills, 1, dimensions)):
        views = [centre + 0.3 * draw.normal(size=(count, dimensions)) for _ in range(2)]
        banks.append(np.hstack([view / np.linalg.norm(view, axis=1, keepdims=True) for view in views]).astype(np.float32))
    return KnownSkills(names=tuple(f"s{place}" for place in range(skills)), banks=tuple(banks), first=dimensions)


def domain(skills: int, count: int, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Skills of one domain in two views: near one another in the first, apart in the second."""
    draw = np.random.default_rng(7)
    centres = draw.normal(size=(skills, 2, 24))
    rows: list[np.ndarray] = []
    for skill, (first, second) in enumerate(centres):
        noise = np.random.default_rng([seed, skill]).normal(size=(2, count, 24))
        views = [2 + 0.5 * first + 0.6 * noise[0], second + 0.4 * noise[1]]
        rows.append(np.hstack([view / np.linalg.norm(view, axis=1, keepdims=True) for view in views]))
    return np.concatenate(rows).astype(np.float32), [str(skill) for skill in range(skills) for _ in range(count)]
