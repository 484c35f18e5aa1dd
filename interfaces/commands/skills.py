"""Commands over the skills of a tenant, which need the record alone: `skills list`, `show`, `rename`, `merge`, `split`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ...core import NothingFound, one_line, printable
from ..console import say
from .looking import open_record
from .options import ConfigFlag, HomeFlag, JsonFlag, SetFlag, TenantFlag, read_settings, text_of

if TYPE_CHECKING:
    from ...memory import Record
    from ...orchestrator import SkillDescription

skills = typer.Typer(name="skills", help="See the skills, and rename, merge or split them.", no_args_is_help=True, rich_markup_mode=None)

SkillArgument = Annotated[str, typer.Argument(callback=text_of, help="A skill, as `skills list` names it.")]


@skills.command("list")
def list_skills(
    tenant: TenantFlag = "default", json_: JsonFlag = False, config: ConfigFlag = None, home: HomeFlag = None, set_: SetFlag = None
) -> None:
    """Name every skill, its tasks and the words that tell it from the others."""
    with open_record(read_settings(config, home, set_)) as record:
        from ...orchestrator import DiscoverCounts, describe_skills

        found = describe_skills(record, tenant)
        counts = record.state.get(DiscoverCounts, tenant=tenant)
    if json_:
        say(json.dumps([asdict(one) for one in found], indent=1))
        return
    for one in found:
        say(printable(f"{one.name}  {_tasks(one.size)}  {', '.join(one.words)}" + "  (discovered; name it)" * one.provisional))
    if counts and counts.kinds:
        say(f"the tasks look like {counts.kinds} kinds in all (between {counts.kinds_low} and {counts.kinds_high})")
    if not found:
        say("no skills yet; tasks get them from their environment, from `lifelong answer`, or are discovered: lifelong sleep")


@skills.command("show")
def show_skill(
    name: SkillArgument, tenant: TenantFlag = "default", config: ConfigFlag = None, home: HomeFlag = None, set_: SetFlag = None
) -> None:
    """Show the tasks at a skill's centre and at its edge."""
    with open_record(read_settings(config, home, set_)) as record:
        one = _named(record, tenant, name)
    say(printable(f"{one.name}: {_tasks(one.size)}; its words: {', '.join(one.words) or 'none of its own'}"))
    for kind, tasks in (("at the centre", one.centre), ("at the edge", one.edge)):
        for id_, text in tasks:
            say(f"  {kind:<13}  {printable(id_)}  {one_line(text)}")


@skills.command("rename")
def rename(
    old: SkillArgument,
    new: Annotated[str, typer.Argument(callback=text_of, help="Its new name.")],
    tenant: TenantFlag = "default",
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """Give a skill another name; lessons, adapters and what serves follow it."""
    with open_record(read_settings(config, home, set_)) as record:
        from ...orchestrator import rename_skill

        moved = rename_skill(record, tenant, old, new)
    say(printable(f"{old} is called {new.strip()}; {_tasks(moved)} moved"))


@skills.command("merge")
def merge(
    names: Annotated[list[str], typer.Argument(help="The skills; the last one is the name that all of them get.")],
    tenant: TenantFlag = "default",
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """Make one skill of several."""
    if len(names) < 2:
        raise typer.BadParameter("name at least two skills; the last one is the name that all of them get")
    *others, into = (text_of(name) or "" for name in names)
    with open_record(read_settings(config, home, set_)) as record:
        from ...orchestrator import merge_skills

        moved = merge_skills(record, tenant, others, into)
    say(printable(f"{_tasks(moved)} moved to {into.strip()}"))


@skills.command("split")
def split(
    name: SkillArgument, tenant: TenantFlag = "default", config: ConfigFlag = None, home: HomeFlag = None, set_: SetFlag = None
) -> None:
    """Split a skill in two; the smaller part becomes a discovered skill."""
    with open_record(read_settings(config, home, set_)) as record:
        from ...orchestrator import split_skill

        fresh, moved = split_skill(record, tenant, name)
        one = _named(record, tenant, fresh)
    say(
        printable(
            f"{_tasks(moved)} became {fresh} ({', '.join(one.words) or 'no words of its own'}); name it: lifelong answer {fresh} NAME"
        )
    )


def _named(record: Record, tenant: str, name: str) -> SkillDescription:
    from ...orchestrator import describe_skills

    found = {one.name: one for one in describe_skills(record, tenant)}
    if name not in found:
        raise NothingFound(f"tenant {tenant!r} has no skill {name!r}; see `lifelong skills list`")
    return found[name]


def _tasks(count: int) -> str:
    return f"{count} task{'s' * (count != 1)}"
