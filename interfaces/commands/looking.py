"""Commands that need the record alone and load no model: `status`, `sessions`, `show`, `lessons`, `questions`, `answer`."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...core import one_line, printable
from ..console import say
from .options import ConfigFlag, HomeFlag, JsonFlag, SetFlag, TenantFlag, read_settings, record_file, text_of

if TYPE_CHECKING:
    from ...core import Episode, Settings
    from ...memory import Record


def open_record(settings: Settings) -> Record:
    """The record in the home. Raises `NothingFound` where there is none, instead of making one."""
    record_file(settings.home)
    from ...orchestrator import erase_pending_rows, open_store

    record = open_store(settings)
    erase_pending_rows(record, settings.home)
    return record


def status(
    tenant: TenantFlag = "default", json_: JsonFlag = False, config: ConfigFlag = None, home: HomeFlag = None, set_: SetFlag = None
) -> None:
    """Say what is remembered, what serves, and what failed."""
    settings = read_settings(config, home, set_)
    with open_record(settings) as record:
        from .status import describe, lines

        found = describe(record, settings, tenant)
    say(json.dumps(found, indent=1) if json_ else "\n".join(lines(found)))


def show(
    episode: Annotated[str, typer.Argument(callback=text_of, help="Id of an episode, of any answer of its run, or of a session.")],
    tenant: TenantFlag = "default",
    json_: JsonFlag = False,
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """Show one episode, or every one of a session, step by step."""
    with open_record(read_settings(config, home, set_)) as record:
        found = _shown(record, episode, tenant)
    if json_:
        rows = [json.loads(one.to_json()) for one in found]
        say(json.dumps(rows[0] if len(rows) == 1 else rows, indent=1))
    else:
        say("\n\n".join("\n".join(_episode_lines(one)) for one in found))


def sessions(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Most sessions shown, the newest first.")] = 20,
    tenant: TenantFlag = "default",
    json_: JsonFlag = False,
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """List the conversations and runs of agents, the newest first."""
    from ...orchestrator.open_runs import newest_sessions

    with open_record(read_settings(config, home, set_)) as record:
        found = newest_sessions(record, tenant, limit)
    if json_:
        say(json.dumps([asdict(one) for one in found], indent=1))
        return
    for one in found:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.last))
        say(printable(f"{when}  {one.episodes:>5} {'episode ' if one.episodes == 1 else 'episodes'}  {one.id}"))
    if not found:
        say("no sessions yet")


def _shown(record: Record, id: str, tenant: str) -> list[Episode]:
    from ...core import NothingFound
    from ...orchestrator.open_runs import session_episodes

    run = record.session_nodes.run_of(id, tenant) or id
    if found := record.episodes.get_many([run], tenant=tenant):
        return found
    if record.open_runs.owners([run]) == [tenant]:
        return [record.open_runs.get(run)]
    try:
        return session_episodes(record, tenant, id)
    except NothingFound:
        raise NothingFound(f"tenant {tenant!r} has no episode or session {id!r}; another tenant's is shown with --tenant") from None


def _episode_lines(episode: Episode) -> list[str]:
    """An episode for a reader. Every line of stored text is indented, so that no text can pass for a heading."""
    outcome, verdict = episode.outcome, episode.verdict
    ended = {True: "success", False: "failure", None: "not judged"}[outcome.success]
    rows: list[tuple[str, Any]] = [
        ("episode", episode.id),
        ("tenant", episode.task.tenant),
        ("environment", episode.task.environment),
        ("skill", episode.skill or "none that is known"),
        ("outcome", f"{ended}, score {outcome.score:g}, judged by {outcome.judge}" if outcome.success is not None else ended),
        ("reason", outcome.reason),
        ("model", episode.model),
        ("adapter", episode.adapter or "none"),
        ("lessons", ", ".join(episode.lessons) or "none"),
        ("arm", "control: no memory, no adapter" if episode.control else "with memory"),
        ("tokens", f"{episode.usage.prompt_tokens} read, {episode.usage.completion_tokens} written"),
    ]
    if verdict:
        known = "known" if verdict.known else "unknown"
        rows.append(("perceived", f"{known}, novelty {verdict.novelty:.3f}, chance of success {verdict.success_chance:.2f}"))
        rows.append(("because", verdict.reason))
    lines = [f"{name:<12}{printable(str(text))}" for name, text in rows if text != ""]
    texts = [("instructions", episode.task.instructions), *((step.name, step.full_text) for step in episode.steps)]
    for name, text in [*texts, ("correction", episode.correction)]:
        if text:
            lines += ["", name, *(f"  {printable(line)}" for line in text.split("\n"))]
    return lines


def lessons(
    skill: Annotated[str, typer.Option("--skill", callback=text_of, help="Only lessons of this skill.")] = "",
    tenant: TenantFlag = "default",
    json_: JsonFlag = False,
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """List the lessons with their evidence, help and harm."""
    with open_record(read_settings(config, home, set_)) as record:
        found = record.lessons.find(tenant, skill=skill or None)
    if json_:
        say(json.dumps([asdict(lesson) for lesson in found], indent=1))
        return
    for lesson in found:
        say(printable(f"{lesson.skill}  {lesson.status}  helped {lesson.helped}, harmed {lesson.harmed}  ({lesson.author})"))
        say(f"  {printable(lesson.text)}")
        say(printable(f"  proved by {', '.join(lesson.episodes)}"))
    if not found:
        say("no lessons yet; they are written while asleep: lifelong sleep")


def questions(
    tenant: TenantFlag = "default",
    most: Annotated[int, typer.Option("--most", min=1, help="Ask so many at most, those that change most first.")] = 5,
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """Ask what the discovered skills are; `answer` takes the reply."""
    with open_record(read_settings(config, home, set_)) as record:
        from ...orchestrator import questions as find

        every = find(record, tenant)
    asked = every[:most]
    for question in asked:
        name = printable(question.skill)
        say(f"{name}: {question.size} tasks that no known skill covers. What are they?")
        if question.words:
            say(f"  their words   {printable(', '.join(question.words))}")
        for id_, text in question.examples:
            say(f"  for example   {printable(id_)}  {one_line(text)}")
        for id_, text in question.borderline:
            say(f"  and perhaps   {printable(id_)}  {one_line(text)}")
        if question.nearest:
            near = printable(question.nearest)
            say(f"  most like     {near}; if they are one: lifelong skills merge {name} {near}")
        say(f"  answer with   lifelong answer {name} NAME   (or `none`; a task's own id files that task alone)")
    if len(every) > most:
        say(f"{len(every) - most} more wait, smaller ones: --most {len(every)}")
    if not asked:
        say("nothing to ask; new skills are looked for while asleep: lifelong sleep")


def answer(
    asked: Annotated[str, typer.Argument(callback=text_of, help="A discovered skill, such as new-0001, or an episode's id.")],
    name: Annotated[str, typer.Argument(callback=text_of, help="What it is: a name, new or of a known skill, or `none`.")],
    tenant: TenantFlag = "default",
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """Name a discovered skill, or file one task."""
    if not printable(name).strip():
        raise typer.BadParameter("the name is blank; give one, or `none`")
    with open_record(read_settings(config, home, set_)) as record:
        from ...orchestrator import answer as take

        filed = take(record, tenant, asked, name)
    tasks = f"{filed} task{'s' * (filed != 1)}"
    say(f"{tasks} filed under {printable(name)}" if name != "none" else f"{tasks} went back to the unknown tasks")
