"""Commands that need the record alone and load no model: `status`, `lessons`, `questions`, `answer`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...core import LessonStatus, NothingFound
from .options import ConfigFlag, HomeFlag, SetFlag, TenantFlag, read_settings

if TYPE_CHECKING:
    from ...memory import Record
    from ...perception import SelectiveRule


def open_record(home: Path) -> Record:
    """The record under `home`. Raises `NothingFound` where there is none, instead of making one."""
    file = home / "record.sqlite3"
    if not file.exists():
        raise NothingFound(f"there is no record at {file}; name its folder with --home, or make one with `lifelong run`")
    from ...memory import Record
    from ...orchestrator import erase_pending_rows

    record = Record(file)
    erase_pending_rows(record, home)
    return record


def status(tenant: TenantFlag = "default", config: ConfigFlag = None, home: HomeFlag = None, set_: SetFlag = None) -> None:
    """Say what is remembered, what serves, and whether it helps."""
    settings = read_settings(config, home, set_)
    with open_record(settings.home) as record:
        from ...memory import memory_effect
        from ...orchestrator import acceptance_rule

        episodes, routes, helped = record.episodes, record.adapters.routes(tenant), memory_effect(record, tenant)
        skills, cued = sorted({*episodes.skills(tenant=tenant), *routes}), record.cues.find(tenant=tenant)
        written = [f"{len(record.lessons.find(tenant, status=stage))} {stage}" for stage in LessonStatus]
        lines = {
            "episodes": f"{episodes.count(tenant=tenant)}, of which {episodes.count(tenant=tenant, trainable=True)} may be learned from",
            "foreign": f"{len(episodes.novel(tenant))} episodes of no known skill",
            "beyond": f"{len(cued)} older episodes, kept as {record.cues.bytes(tenant):,} bytes of cues" if cued else "no episodes yet",
            "serving": ", ".join(f"{skill}: {routes.get(skill) or 'base model'}" for skill in skills) or "the base model",
            "lessons": ", ".join(written),
            "with memory": f"{helped.treated_successes} of {helped.treated_total} tasks solved",
            "without": f"{helped.control_successes} of {helped.control_total} tasks solved, in the control arm",
        }
        if helped.difference is not None:
            low, high = helped.ci95
            lines["difference"] = f"{helped.difference:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
        lines["gate"] = _gate_line(acceptance_rule(record, tenant, settings.wake.target_risk), settings.wake.target_risk)
    for name, line in lines.items():
        typer.echo(f"{name:<12}{line}")


def _gate_line(rule: SelectiveRule | None, risk: float) -> str:
    """What the gate vouches for, in words: its promise, its coverage and its risk."""
    if rule is None or not rule.coverage:
        return f"vouches for nothing yet: no outcomes that prove an error rate of at most {risk:.0%}"
    return (
        f"vouches for {rule.coverage:.0%} of the known tasks, those with a chance of success of {rule.threshold:.2f} or more; "
        f"{rule.risk:.1%} of these failed, and with 95 % confidence at most {rule.risk_bound:.1%} do"
    )


def lessons(
    skill: Annotated[str, typer.Option("--skill", help="Only lessons of this skill.")] = "",
    tenant: TenantFlag = "default",
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """List the lessons with their evidence, help and harm."""
    with open_record(read_settings(config, home, set_).home) as record:
        found = record.lessons.find(tenant, skill=skill or None)
    for lesson in found:
        typer.echo(f"{lesson.skill}  {lesson.status}  helped {lesson.helped}, harmed {lesson.harmed}  ({lesson.author})")
        typer.echo(f"  {lesson.text}")
        typer.echo(f"  proved by {', '.join(lesson.episodes)}")
    if not found:
        typer.echo("no lessons yet; they are written while asleep: lifelong sleep")


def questions(
    tenant: TenantFlag = "default",
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """Ask what the discovered skills are; `answer` takes the reply."""
    from ...orchestrator import questions as find

    with open_record(read_settings(config, home, set_).home) as record:
        asked = find(record, tenant)
    for question in asked:
        typer.echo(f"{question.skill}: {question.size} tasks that no known skill covers. What are they?")
        for id_, text in question.examples:
            typer.echo(f"  for example   {id_}  {_one_line(text)}")
        for id_, text in question.doubtful:
            typer.echo(f"  and perhaps   {id_}  {_one_line(text)}")
        typer.echo(f"  answer with   lifelong answer {question.skill} NAME   (or `none`; a task's own id files that task alone)")
    if not asked:
        typer.echo("nothing to ask; new skills are looked for while asleep: lifelong sleep")


def answer(
    asked: Annotated[str, typer.Argument(help="A discovered skill, such as new-0001, or an episode's id.")],
    name: Annotated[str, typer.Argument(help="What it is: a name, new or of a known skill, or `none`.")],
    tenant: TenantFlag = "default",
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """Name a discovered skill, or file one task."""
    from ...orchestrator import answer as take

    with open_record(read_settings(config, home, set_).home) as record:
        filed = take(record, tenant, asked, name)
    typer.echo(f"{filed} task{'s' * (filed != 1)} filed under {name}" if name != "none" else f"{filed} went back to the foreign tasks")


def _one_line(text: str, width: int = 100) -> str:
    words = " ".join(text.split())
    return words if len(words) <= width else words[: width - 1] + "…"
