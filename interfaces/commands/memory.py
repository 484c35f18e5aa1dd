"""`lifelong memory`: what people said, sought and listed by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from ...core import one_line, printable
from ..console import say
from .looking import open_record
from .options import ConfigFlag, HomeFlag, JsonFlag, SetFlag, TenantFlag, read_settings, text_of

if TYPE_CHECKING:
    from ...memory import Memory

memory = typer.Typer(name="memory", help="What people said: search it, list it.", no_args_is_help=True, rich_markup_mode=None)


@memory.command()
def search(
    question: Annotated[str, typer.Argument(callback=text_of, help="What is sought, in words.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="Most hits.")] = 10,
    tenant: TenantFlag = "default",
    json_: JsonFlag = False,
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """Search everything that was said; broader than what is shown to the model unasked."""
    settings = read_settings(config, home, set_)
    with open_record(settings) as record:
        from ...orchestrator import open_turns

        turns = open_turns(settings, record)
        turns.finish()
        _print(turns.search(question, tenant=tenant, limit=limit), json_)


@memory.command(name="list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest.")] = 20,
    speaker: Annotated[str, typer.Option(callback=text_of, help="Only what this speaker said: `user`, `assistant`, a name, a tool.")] = "",
    tenant: TenantFlag = "default",
    json_: JsonFlag = False,
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """List what was said, newest first."""
    with open_record(read_settings(config, home, set_)) as record:
        from ...orchestrator import newest_said

        _print(newest_said(record, tenant, limit, speaker), json_)


def _print(found: list[Memory], json_: bool) -> None:
    from ...memory.turns.times import moment
    from ..gateway.memory import as_json

    if json_:
        say(json.dumps([as_json(one) for one in found], indent=1, ensure_ascii=False))
        return
    for one in found:
        day = moment(one.created, "%Y-%m-%d %H:%M")
        later = "  (said otherwise later)" if one.superseded else ""
        say(printable(f"{day}  {one.speaker}  {one.kind}{later}"))
        say(f"  {one_line(one.text)}")
        say(printable(f"  {one.why}; episode {one.episode}, session {one.session}"))
    if not found:
        say("nothing was found; what people say through the gateway is remembered by itself")
    else:
        say("\nforget one with: lifelong forget --episode ID")
