"""The report of a made-up but plausible run: complete, self-contained, and safe against hostile text."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from made.summary import fake_summary

from lifelong.runs import plots
from lifelong.runs.report import closing_lines, summary_tables, write_report

DRAWN: dict[str, str] = {}
"""Charts by their names and data."""


@pytest.fixture
def _each_chart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes most of the time, and most pages here hold the same charts: one that was drawn of the same data is taken again."""

    def remembered(draw: Callable[..., str]) -> Callable[..., str]:
        def found(*data: object) -> str:
            key = json.dumps([draw.__name__, *data], default=vars)
            return DRAWN[key] if key in DRAWN else DRAWN.setdefault(key, draw(*data))

        return found

    for name in ("stream_plot", "tokens_plot", "phases_plot", "loss_line"):
        monkeypatch.setattr(plots, name, remembered(getattr(plots, name)))


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


@pytest.mark.usefixtures("_each_chart_once")
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


@pytest.mark.usefixtures("_each_chart_once")
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


@pytest.mark.usefixtures("_each_chart_once")
def test_what_a_night_did_without_corrections_is_said() -> None:
    summary = fake_summary()
    assert not any(line.startswith("night ") for line in closing_lines(summary)), "nights over corrections go without saying"
    plan = "no corrections, 1 verified run, 95 failed tasks: practice with up to 600 exercises; 600 exercises practised"
    summary["nights"][0] |= {"practised": 600, "plan": plan}
    assert f"night {summary['nights'][0]['night']} over {summary['nights'][0]['environment']}: {plan}" in closing_lines(summary)


def test_an_empty_control_arm_is_said_in_words(tmp_path: Path) -> None:
    summary = fake_summary()
    summary["memory_effect"] = {"treated": [151, 268], "control": [0, 0], "difference": None, "ci95": [-1.0, 1.0]}
    assert any("not measured, because the control arm is empty (with memory 151 of 268" in line for line in closing_lines(summary))
    page = write_report(summary, tmp_path / "report.html").read_text()
    assert "the control arm is empty" in page
    assert "Over the control arm" not in page


@pytest.mark.usefixtures("_each_chart_once")
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


@pytest.mark.usefixtures("_each_chart_once")
def test_tasks_are_shown_with_their_answers_before_and_after(tmp_path: Path) -> None:
    page = write_report(fake_summary(), tmp_path / "report.html").read_text()
    before, after = page.index("before any night: not solved"), page.index("after night 3: solved")
    assert "FROM &#39;table&#39; WHERE" in page[before:after]
    assert "FROM films WHERE" in page[after:]
