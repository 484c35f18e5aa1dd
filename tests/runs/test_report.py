"""The report of a made-up but plausible run: complete, self-contained, and safe against hostile text."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from lifelong.runs.report import closing_lines, summary_tables, write_report
from lifelong.runs.summary import summarise_metrics

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
    evaluations = [
        {"night": night, "environment": name, "successes": round(50 * MATRIX[night][index]), "tasks": 50, "tokens": 50 * (190 - 10 * night)}
        for night in range(len(names) + 1)
        for index, name in enumerate(names)
    ]
    reasons = (
        "published: database rose by 62 points, no other skill fell",
        "published for graph alone: database would have fallen by 4 points, more than the 3 allowed",
        "published: navigation rose by 48 points, no other skill fell",
    )
    nights = [
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
    return {
        "method": "lifelong",
        "seed": 0,
        "commit": "ac4d28d" + "0" * 33,
        "machine": "a processor, 2 cores, 4 GiB",
        "seconds": 762.0,
        "versions": {"python": "3.11.9", "torch": "2.13.0"},
        "settings": {"seed": 0, "sleep": {"rank": 16, "epochs": 6}, "model": {"url": ""}},
        "environments": list(names),
        "stream": stream,
        "evaluations": evaluations,
        "nights": nights,
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


def gate_row(skill: str, live: float, candidate: float, serves: bool) -> dict[str, Any]:
    gain = candidate - live
    return {"skill": skill, "tasks": 9, "live": live, "candidate": candidate, "gain_ci95": [gain - 0.15, gain + 0.12], "serves": serves}


def test_metrics_of_a_summary() -> None:
    metrics = summarise_metrics(fake_summary())
    assert metrics["average_accuracy"] == pytest.approx((0.66 + 0.56 + 0.72) / 3)
    assert metrics["backward_transfer"] == pytest.approx((0.0 - 0.02) / 2)
    assert metrics["forward_transfer"] == pytest.approx((0.02 + 0.02) / 2)
    assert metrics["forgetting_max"] == pytest.approx(0.02)
    assert metrics["chance_auroc"] == 1.0
    assert metrics["answer_chance_auroc"] == 0.5
    assert metrics["forgetting"]["navigation"] is None
    assert metrics["success_after"] == pytest.approx({"database": 0.66, "graph": 0.58, "navigation": 0.72})
    assert metrics["tokens_per_solved"][0] == pytest.approx(3 * 50 * 190 / (2 + 0 + 11))
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_two_nights_on_one_environment_and_none_on_another() -> None:
    summary = {
        "environments": ["a", "b"],
        "nights": [{"night": 1, "environment": "a"}, {"night": 2, "environment": "a"}],
        "evaluations": [
            {"night": night, "environment": name, "successes": 10 * night, "tasks": 40, "tokens": 1} for night in range(3) for name in "ab"
        ],
    }
    metrics = summarise_metrics(summary)
    assert metrics["learned"] == [2, None]
    assert metrics["success_before"] == {"a": 0.0, "b": None}
    assert metrics["success_after"] == {"a": 0.5, "b": None}
    assert metrics["backward_transfer"] is None
    assert metrics["tokens_per_solved"][0] is None


def test_report_is_self_contained(tmp_path: Path) -> None:
    page = write_report(fake_summary(), tmp_path / "deep" / "report.html").read_text()
    assert page.count("<svg ") == 2 * 3 + 3, "three charts for a wide and a narrow page, and a line of losses for each night"
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "@import" not in page
    assert not re.search(r"#000[12]0", page), "a stand-in colour was left in a plot"
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', page)) <= set(ids)
    for text in ("Success on unseen tasks: from 8.7 % to 65 %", "published lifelong-v0002", "117 of 120", "run0-00144", "sleep.rank"):
        assert text in page
    assert len(page) < 400_000


def test_same_summary_same_page(tmp_path: Path) -> None:
    first, second = (write_report(fake_summary(), tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second


def test_text_from_outside_is_escaped(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> $x$"
    summary = fake_summary(("database", "graph", hostile))
    summary["lessons"][0]["text"] = hostile
    summary["lessons"][1]["text"] = "数据库 \U0001f642 \x07 <b>&$"
    summary["nights"][0]["reason"] = hostile + "[bold]"
    page = write_report(summary, tmp_path / "report.html").read_text()
    assert "<script" not in page
    assert "<b>" not in page
    assert "[bold]" in summary_tables(summary)[1].as_text()


@pytest.mark.parametrize(
    "part",
    ["stream", "evaluations", "nights", "memory_effect", "lessons", "corrections", "settings", "versions", "seconds", "environments"],
)
def test_a_missing_part_leaves_its_section_out(tmp_path: Path, part: str) -> None:
    summary = fake_summary()
    del summary[part]
    assert "How it was run" in write_report(summary, tmp_path / "report.html").read_text()
    assert summary_tables(summary)


def test_an_empty_run_still_has_a_report(tmp_path: Path) -> None:
    assert "The report of a run" in write_report({}, tmp_path / "report.html").read_text()
    assert summary_tables({})


def test_tables_and_closing_lines() -> None:
    environments, nights = summary_tables(fake_summary())
    assert re.search(r"graph +2 % +58 % +56 % +2\.0", environments.as_text())
    assert nights.rows[1][-1] == "published for graph alone: database would have fallen by 4 points, more than the 3 allowed"
    lines = closing_lines(fake_summary())
    assert "corrections used: 117 of 120" in lines
    assert any(line.startswith("effect of memory: +40.7 points [+23.0, +51.0]; with memory 151 of 268") for line in lines)


def test_an_empty_control_arm_is_said_in_words(tmp_path: Path) -> None:
    summary = fake_summary()
    summary["memory_effect"] = {"treated": [151, 268], "control": [0, 0], "difference": None, "ci95": [-1.0, 1.0]}
    assert any("not measured, because the control arm is empty (with memory 151 of 268" in line for line in closing_lines(summary))
    page = write_report(summary, tmp_path / "report.html").read_text()
    assert "the control arm is empty" in page
    assert "Over the control arm" not in page


def test_lessons_are_shown_in_full_and_cite_episodes_on_the_page(tmp_path: Path) -> None:
    summary = fake_summary()
    summary["lessons"][0]["text"] = "word " * 100 + "end."
    page = write_report(summary, tmp_path / "report.html").read_text()
    assert page.count("word " * 100 + "end.") == 2, "in the chart and in the table"
    cited = dict(re.findall(r'<a href="#(episode-\d+)">([^<]+)</a>', page))
    assert set(cited.values()) == {"run0-00012", "run0-00031", "run0-00144", "run0-00230"}, "one that is not at hand has no link"
    for anchor, id_ in cited.items():
        assert f'id="{anchor}"><code>{id_}</code>' in page
    assert f"Task of {cited['episode-1']}" in page


def test_tasks_are_shown_with_their_answers_before_and_after(tmp_path: Path) -> None:
    page = write_report(fake_summary(), tmp_path / "report.html").read_text()
    before, after = page.index("before any night: not solved"), page.index("after night 3: solved")
    assert "FROM &#39;table&#39; WHERE" in page[before:after]
    assert "FROM films WHERE" in page[after:]
