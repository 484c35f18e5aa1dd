"""Commands that change what the system knows: `run`, `sleep`, `forget`, `rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...core import Settings, printable
from ..console import complain, say
from .options import (
    ConfigFlag,
    DataFlag,
    HomeFlag,
    SeedFlag,
    SetFlag,
    TenantFlag,
    existing_home,
    import_from_here,
    read_settings,
    tenant_of,
    text_of,
)
from .progress import progress_bars

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 and the signal's number."""


def run(
    environments: Annotated[
        str, typer.Option("--environments", help="Environments in order, separated by commas: names, or module:Class.")
    ] = "database,graph",
    corrections: Annotated[
        int, typer.Option("--corrections", min=0, help="Failed tasks of each environment that the expert may answer.")
    ] = 400,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the latest run in --out, or with --out if it is a run.")] = False,
    out: Annotated[Path, typer.Option("--out", help="Where runs are kept: a folder each, and latest, a link to the last.")] = Path("runs"),
    tasks: Annotated[
        str, typer.Option("--tasks", help="Tasks of each environment: of the stream, unseen, after the night; such as 96,32,16.")
    ] = "",
    stream: Annotated[
        str, typer.Option("--stream", help="`navigation`: a navigator that learns goal categories stage by stage, drawn on a terminal.")
    ] = "",
    forget: Annotated[
        str, typer.Option("--forget", help="With --stream navigation: a category to forget after the last stage, such as 'red ball'.")
    ] = "",
    data: DataFlag = None,
    config: ConfigFlag = None,
    set_: SetFlag = None,
    seed: SeedFlag = None,
    old_environments: Annotated[str, typer.Option("--families", hidden=True, help="What --environments was called before.")] = "",
) -> None:
    """Stream tasks, awake and asleep, and report what was learned."""
    from ...runs.job import run_job

    if old_environments:
        complain("the flag --families is now called --environments; use the new name")
        environments = old_environments
    import_from_here(environments)
    sizes = _sizes(tasks) if tasks else None

    settings = read_settings(config, out / "latest" / "home", set_, seed)
    if stream or forget:
        _navigate(stream, settings, out=out, sizes=sizes, forgotten=forget, resume=resume)
        return
    names = [name.strip() for name in environments.split(",") if name.strip()]
    try:
        with progress_bars() as tell:
            run_job(settings, environments=names, corrections=corrections, out=out, resume=resume, data=data, tasks=sizes, progress=tell)
    except KeyboardInterrupt:
        say(f"\nstopped; every finished task is kept in {out}. Go on with the same flags and --resume", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _navigate(stream: str, settings: Settings, *, out: Path, sizes: tuple[int, int, int] | None, forgotten: str, resume: bool) -> None:
    """Run the stream of navigation; its episodes are drawn where standard output is a terminal."""
    if stream != "navigation":
        raise typer.BadParameter(f"--stream is {stream!r}; it must be navigation, and --forget goes with it")
    from ...runs.navigation import run_navigation
    from .screen import navigation_screen

    try:
        with navigation_screen() as (tell, watch):
            run_navigation(settings, out=out, sizes=sizes, forgotten=forgotten, resume=resume, progress=tell, watch=watch)
    except KeyboardInterrupt:
        say(f"\nstopped; every finished stage is kept in {out}. Go on with the same flags and --resume", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _sizes(text: str) -> tuple[int, int, int]:
    words = [word.strip() for word in text.split(",")]
    if len(words) != 3 or not all(word.isdecimal() for word in words) or not (int(words[0]) and int(words[1])):
        raise typer.BadParameter(f"--tasks is {text!r}; it must be three whole numbers such as 96,32,16, the first two above 0")
    train, test, practice = map(int, words)
    return train, test, practice


def sleep(
    tenant: TenantFlag = "default",
    data: DataFlag = None,
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
    seed: SeedFlag = None,
) -> None:
    """Reflect, train a candidate, publish it if the gate agrees."""
    from .learner import open_learner

    with open_learner(existing_home(read_settings(config, home, set_, seed)), data) as learner, progress_bars() as tell:
        nights = learner.sleep(tenant=tenant, progress=tell)
    for night in nights:
        published = "published" if night.published else "not published"
        say(printable(f"{night.skill}: {night.adapter or 'no adapter'} {published}; {night.reason}"))
    if not nights:
        say("nothing to learn: no skill has enough new episodes that were verified or corrected")


def forget(
    episode: Annotated[str, typer.Option("--episode", callback=text_of, help="Id of one episode.")] = "",
    tenant: Annotated[str, typer.Option("--tenant", callback=tenant_of, help="Everything of one tenant.")] = "",
    skill: Annotated[str, typer.Option("--skill", callback=text_of, help="Everything of one skill.")] = "",
    data: DataFlag = None,
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """Erase everywhere, adapters included, and print the receipt."""
    import json
    from dataclasses import asdict

    if not (episode or tenant or skill):
        raise typer.BadParameter("say what to forget: --episode, --tenant or --skill")
    from .learner import open_learner

    with open_learner(existing_home(read_settings(config, home, set_)), data) as learner, progress_bars() as tell:
        receipt = learner.forget(episode=episode, tenant=tenant, skill=skill, progress=tell)
    say(json.dumps(asdict(receipt), indent=2))


def rollback(
    skill: Annotated[str, typer.Option("--skill", callback=text_of, help="Only this skill; all of them unless set.")] = "",
    tenant: TenantFlag = "default",
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """Serve again what served before the last publication."""
    from .looking import open_record

    with open_record(read_settings(config, home, set_)) as record:
        changed = record.adapters.rollback(tenant, skill or None)
        routes = record.adapters.routes(tenant)
    for name in changed:
        say(printable(f"{name}: {routes.get(name) or 'the base model'} serves again"))
