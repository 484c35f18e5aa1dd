"""The summary of a made-up run of three environments."""

import random
from typing import Any

NAMES = ("database", "graph", "navigation")


LESSONS: tuple[dict[str, Any], ...] = (
    {
        "id": "5d1f09a2c3",
        "skill": "database",
        "status": "active",
        "helped": 31,
        "harmed": 9,
        "author": "evidence",
        "episodes": ["run0-00012", "run0-00031"],
        "text": "Quote nothing that the schema does not quote; failed answers quoted the table name, solved ones did not.",
    },
    {
        "id": "77ab20c9e1",
        "skill": "graph",
        "status": "probation",
        "helped": 4,
        "harmed": 3,
        "author": "evidence",
        "episodes": ["run0-00144"],
        "text": "Close the pattern with a brace before LIMIT. Error seen: expected one of LIMIT, OFFSET or the end.",
    },
    {
        "id": "e90c44d1f7",
        "skill": "navigation",
        "status": "retired",
        "helped": 2,
        "harmed": 14,
        "author": "evidence",
        "episodes": ["run0-00230", "run0-00233"],
        "text": "Turning twice in a row undoes nothing: go forward after each turn.",
    },
)


MATRIX = ((0.04, 0.00, 0.22), (0.66, 0.02, 0.22), (0.64, 0.58, 0.24), (0.66, 0.56, 0.72))


def fake_summary(names: tuple[str, ...] = NAMES) -> dict[str, Any]:
    """A run of three environments with sixty tasks before each night and forty after it."""
    evaluations = [
        {"night": night, "environment": name, "successes": round(50 * MATRIX[night][index]), "tasks": 50, "tokens": 50 * (190 - 10 * night)}
        for night in range(len(names) + 1)
        for index, name in enumerate(names)
    ]
    return {
        "method": "lifelong",
        "seed": 0,
        "commit": "ac4d28d" + "0" * 33,
        "machine": "a processor, 2 cores, 4 GiB",
        "seconds": 762.0,
        "versions": {"python": "3.11.9", "torch": "2.13.0"},
        "settings": {"seed": 0, "sleep": {"rank": 16, "epochs": 6}, "model": {"url": ""}},
        "environments": list(names),
        "stream": stream_rows(names),
        "evaluations": evaluations,
        "nights": night_rows(names),
        "lessons": [dict(lesson) for lesson in LESSONS],
        "episodes": [
            {"id": id_, "task": f"Task of {id_}", "answer": "SELECT 1", "success": id_ != "run0-00012", "reason": "no such table"}
            for lesson in LESSONS
            for id_ in lesson["episodes"]
            if id_ != "run0-00233"
        ],
        "examples": [
            {
                "environment": name,
                "task": f"How many rows are there in {name} whose year is after 1990 and whose name begins with A?",
                "answers": [
                    {"night": 0, "text": "SELECT count(*) FROM 'table' WHERE year > 1990", "success": False},
                    {"night": len(names), "text": "SELECT count(*) FROM films WHERE year > 1990 AND name LIKE 'A%'", "success": True},
                ],
            }
            for name in names
            for _ in range(2)
        ],
        "memory_effect": {"treated": [151, 268], "control": [5, 32], "difference": 151 / 268 - 5 / 32, "ci95": [0.23, 0.51]},
        "corrections": {"budget": 120, "used": 117},
    }


def stream_rows(names: tuple[str, ...]) -> list[dict[str, Any]]:
    draw = random.Random(7)
    stream: list[dict[str, Any]] = []
    for index, name in enumerate(names):
        for night, count in ((index, 60), (index + 1, 40)):
            for _ in range(count):
                control = draw.random() < 0.1
                rate = MATRIX[0 if control else night][index]
                success = draw.random() < rate
                corrected = night == index and not success and draw.random() < 0.7
                stream.append(
                    {
                        "position": len(stream), "environment": name, "night": night, "success": success, "control": control,
                        "known": night > index, "corrected": corrected, "tokens": draw.randint(140, 260),
                        "chance": 0.6 + 0.1 * success, "answer_chance": 0.5 if night else None,
                    }
                )  # fmt: skip
    return stream


def night_rows(names: tuple[str, ...]) -> list[dict[str, Any]]:
    reasons = (
        "published: database rose by 62 points, no other skill fell",
        "published for graph alone: database would have fallen by 4 points, more than the 3 allowed",
        "published: navigation rose by 48 points, no other skill fell",
    )
    return [
        {
            "night": index + 1,
            "environment": name,
            "seconds": 148.2 + 20 * index,
            "samples": 42,
            "replayed": 21 * index,
            "loss": [2.1, 1.2, 0.71, 0.44, 0.31, 0.27],
            "lessons": 2,
            "published": f"lifelong-v{index + 1:04d}",
            "reason": reasons[index],
            "gate": [gate_row(other, MATRIX[index][j], MATRIX[index + 1][j], j == index) for j, other in enumerate(names[: index + 1])],
            "phases": {"reflect": 6.2, "consolidate": 112.0 + 18 * index, "gate": 27.5, "publish": 0.8},
        }
        for index, name in enumerate(names)
    ]


def gate_row(skill: str, live: float, candidate: float, serves: bool) -> dict[str, Any]:
    gain = candidate - live
    return {"skill": skill, "tasks": 9, "live": live, "candidate": candidate, "gain_ci95": [gain - 0.15, gain + 0.12], "serves": serves}
