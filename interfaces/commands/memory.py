"""`lifelong memory`: what people said, sought, listed, shown, edited, pinned and forgotten by hand."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ...core import Settings, one_line, printable
from ..console import say
from .looking import open_record
from .options import JsonFlag, TenantFlag, existing_home, takes_settings, text_of

if TYPE_CHECKING:
    from ...memory import Memory
    from ...orchestrator import LifelongLearner

memory = typer.Typer(
    name="memory", help="What people said: search, list, show, edit, pin, forget it.", no_args_is_help=True, rich_markup_mode=None
)

NumberArgument = Annotated[int, typer.Argument(min=1, help="Number of what was said, as `memory list` and `memory search` show it.")]


@memory.command()
@takes_settings
def search(
    settings: Settings,
    question: Annotated[str, typer.Argument(callback=text_of, help="What is sought, in words.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="Most hits.")] = 10,
    tenant: TenantFlag = "default",
    json_: JsonFlag = False,
) -> None:
    """Search everything that was said; broader than what is shown to the model unasked."""
    with open_record(settings) as record:
        from ...orchestrator import open_turns

        turns = open_turns(settings, record)
        turns.finish()
        _print(turns.search(question, tenant=tenant, limit=limit), json_)


@memory.command(name="list")
@takes_settings
def list_(
    settings: Settings,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest.")] = 20,
    speaker: Annotated[str, typer.Option(callback=text_of, help="Only what this speaker said: `user`, `assistant`, a name, a tool.")] = "",
    tenant: TenantFlag = "default",
    json_: JsonFlag = False,
) -> None:
    """List what was said, newest first."""
    with open_record(settings) as record:
        from ...orchestrator import newest_said

        _print(newest_said(record, tenant, limit, speaker), json_)


@memory.command()
@takes_settings
def profile(settings: Settings, tenant: TenantFlag = "default", json_: JsonFlag = False) -> None:
    """Show what is known of a person, as the last night has chosen it; a new session is shown it."""
    from ...memory import profile_text, read_profile
    from ..gateway.memory import profile_json

    with open_record(settings) as record:
        lines = read_profile(record, tenant)
    if json_:
        say(json.dumps([profile_json(line) for line in lines], indent=1, ensure_ascii=False))
        return
    for line in lines:
        say(printable(f"{line.number}  {line.topic.name.lower()}  {one_line(profile_text(line))}"))
    if not lines:
        say("nothing stands in the profile; it is chosen while asleep: lifelong sleep")


@memory.command()
@takes_settings
def show(
    settings: Settings,
    number: NumberArgument,
    tenant: TenantFlag = "default",
    json_: JsonFlag = False,
) -> None:
    """Show one thing that was said: when, where, beside what, and what came of it."""
    from ...memory.turns.times import moment
    from ...orchestrator.held import describe
    from ..gateway.memory import held_json

    with open_record(settings) as record:
        held = describe(record, tenant, number)
    if json_:
        say(json.dumps(held_json(held), indent=1, ensure_ascii=False))
        return
    one = held.memory
    said = ", ".join(moment(at, "%Y-%m-%d %H:%M") for at in held.said[-5:])
    rows = [
        ("said by", f"{one.speaker} ({one.kind})"),
        ("when", f"{said}{f', {len(held.said)} times in all' if len(held.said) > 5 else ''}"),
        ("where", f"session {one.session}, episode {one.episode}"),
        ("shown", f"its episode stood in {held.shown} {'prompt' if held.shown == 1 else 'prompts'}"),
        ("profile", "pinned" if held.pinned else "yes" if held.profile else "no"),
    ]
    for name, value in rows:
        say(f"{name:<10}{printable(value)}")
    for name, text in (("before", held.before), ("text", one.text), ("after", held.after)):
        if text:
            say(f"\n{name}")
            say("\n".join(f"  {printable(line)}" for line in text.strip().splitlines()))


@memory.command()
@takes_settings
def edit(
    settings: Settings,
    number: NumberArgument,
    text: Annotated[str, typer.Argument(callback=text_of, help="The words that take its place.")],
    tenant: TenantFlag = "default",
) -> None:
    """Put other words in the place of what a person stated; what was derived of the old words is erased."""
    with _learner(settings) as learner:
        new = learner.edit_memory(number, text, tenant=tenant)
    say(printable(f"held as number {new.number}: {one_line(new.text)}"))


@memory.command()
@takes_settings
def pin(
    settings: Settings,
    number: NumberArgument,
    off: Annotated[bool, typer.Option("--off", help="No longer.")] = False,
    tenant: TenantFlag = "default",
) -> None:
    """Keep what a person stated in the profile always."""
    from ...orchestrator.held import pin as keep

    with open_record(settings) as record:
        keep(record, tenant, number, not off)
    say(f"number {number} is {'no longer pinned' if off else 'pinned: every new session is shown it'}")


@memory.command()
@takes_settings
def forget(
    settings: Settings,
    number: NumberArgument,
    tenant: TenantFlag = "default",
) -> None:
    """Forget every exchange in which this was said, everywhere, and print the receipt."""
    with _learner(settings) as learner:
        receipt = learner.forget_memory(number, tenant=tenant)
    say(json.dumps(asdict(receipt), indent=2))


def _learner(settings: Settings) -> LifelongLearner:
    from .learner import open_learner

    return open_learner(existing_home(settings), None)


def _print(found: list[Memory], json_: bool) -> None:
    from ...memory.turns.times import moment
    from ..gateway.memory import as_json

    if json_:
        say(json.dumps([as_json(one) for one in found], indent=1, ensure_ascii=False))
        return
    for one in found:
        later = "  (said otherwise later)" if one.superseded else ""
        say(printable(f"{one.number}  {moment(one.created, '%Y-%m-%d %H:%M')}  {one.speaker}  {one.kind}{later}"))
        say(f"  {one_line(one.text)}")
        say(printable(f"  {one.why}; episode {one.episode}, session {one.session}"))
    if not found:
        say("nothing was found; what people say through the gateway is remembered by itself")
    else:
        say("\nsee, correct or forget one with: lifelong memory show | edit | forget NUMBER")
