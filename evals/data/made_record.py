"""A record of made episodes of four skills, for what measures how cost grows with it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from ...core import Action, Episode, Judge, Observation, Outcome, Task
from ...memory import Record

SKILLS = ("flights", "recipes", "lamps", "songs")
TEXTS = ("Book a flight to {} on day {}", "Write the recipe of {} for {} people", "Press the lamp in {} at {}", "Sing of {} in key {}")
THINGS = ("Rome", "Oslo", "Lima", "soup", "cake", "bread", "seven", "green", "stone", "paper")
TENANTS = "tenant-{}"
BATCH = 5000
"""Episodes recorded in one transaction while the record is filled."""


def fill_record(home: Path, episodes: int, tenants: int = 1) -> float:
    """Record the episodes, as many of every skill and tenant, with vectors around one theme a skill; the seconds that it takes."""
    draw = np.random.default_rng(0)
    themes = draw.normal(size=(len(SKILLS), 384)).astype(np.float32)
    themes /= np.linalg.norm(themes, axis=1, keepdims=True)
    home.mkdir(exist_ok=True)
    begun = time.perf_counter()
    with Record(home / "record.sqlite3") as record:
        for start in range(0, episodes, BATCH):
            numbers = range(start, min(start + BATCH, episodes))
            rows = themes[[number % len(SKILLS) for number in numbers]] + draw.normal(size=(len(numbers), 384)).astype(np.float32) / 20
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            record.episodes.record_many(zip((made_episode(number, tenants) for number in numbers), rows, strict=True))
    return time.perf_counter() - begun


def made_goal(place: int, number: int) -> str:
    """What the task at a place asks for, with a number of its own."""
    return TEXTS[place % len(SKILLS)].format(THINGS[place % len(THINGS)], number)


def made_episode(number: int, tenants: int) -> Episode:
    """A run of one turn, judged by its environment."""
    place = number // tenants
    text = made_goal(place, place)
    task = Task(id=str(number), goal=text, tenant=TENANTS.format(number % tenants), environment="made")
    solved = place % 3 > 0
    outcome = Outcome(success=solved, score=float(solved), judge=Judge.ENVIRONMENT)
    steps = (Observation(text=text), Action(text=f"done {place}"))
    skill = SKILLS[place % len(SKILLS)]
    return Episode(id=f"run-{number:08d}", task=task, steps=steps, outcome=outcome, skill=skill, created=float(number))
