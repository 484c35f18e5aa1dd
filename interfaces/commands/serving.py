"""Commands around the model: `models`, `serve`, `serve-model`."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from ...core import EngineUnreachable, NothingFound
from ..console import say
from .options import ConfigFlag, DataFlag, HomeFlag, SetFlag, read_settings

LOOPBACK = "127.0.0.1"
"""The address served: nobody outside this machine gets in."""

models = typer.Typer(help="Get and check the model files.", no_args_is_help=True, rich_markup_mode=None)

PortFlag = Annotated[int, typer.Option("--port", min=1, max=65535)]


@models.command("list")
def list_() -> None:
    """Say which models are known and which are already here."""
    from ...serving import list_models

    for one in list_models():
        where = f"{one.path} ({one.size / 1e6:.0f} MB, from {one.source})" if one.path else "not here; comes on first use"
        say(f"{one.model.name}  {one.model.kind}, {one.model.licence}\n  {where}")


@models.command("pull")
def pull(
    names: Annotated[list[str] | None, typer.Argument(help="Names as `lifelong models list` shows them; all unless given.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Get it again, even if it is here.")] = False,
) -> None:
    """Get model files and check their hashes."""
    from ...serving import MODELS
    from ...serving import pull as pull_model

    for name in names or list(MODELS):
        say(f"{name}: {pull_model(name, force=force)}")


@models.command("verify")
def verify(name: Annotated[str, typer.Argument(help="A model that is already here.")]) -> None:
    """Check every file of a model against the hashes of its manifest."""
    from ...serving import list_models
    from ...serving import verify as verify_model

    folder = next((one.path for one in list_models() if one.model.name == name), None)
    if folder is None:
        raise NothingFound(f"model {name!r} is not on this machine; `lifelong models list` shows what is, `lifelong models pull` gets more")
    verify_model(folder, hashes=True)
    say(f"{name}: every file in {folder} is as it was written")


def serve(
    port: PortFlag = 8321,
    require_tenant: Annotated[
        bool, typer.Option("--require-tenant", help="Refuse clients that do not say who they are; otherwise they share one memory.")
    ] = False,
    data: DataFlag = None,
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """Answer like an OpenAI-compatible server, and learn from it.

    Clients that send neither the header X-Lifelong-Tenant nor `user` share the tenant `default`: what one of them corrects may be
    shown to the next. --require-tenant refuses them.
    """
    from ..gateway.app import create_app
    from ..gateway.server import listen, make_server, switch_often
    from .learner import open_learner

    settings = read_settings(config, home, set_)
    if require_tenant:
        settings = settings.with_values({"gateway.require_tenant": True})
    bound = listen(LOOPBACK, port)
    with bound, open_learner(settings, data) as learner:
        # The first requests would otherwise miss the deadline while the encoder loads, and go out without memory.
        learner.warm_up()
        say(f"http://{LOOPBACK}:{port}/v1  (Ctrl-C stops)")
        with suppress(KeyboardInterrupt):  # being stopped is how a server ends
            switch_often()
            make_server(create_app(learner, settings.gateway), settings.gateway).run(sockets=[bound])


def serve_model(
    name: Annotated[str, typer.Argument(help="A known model, a local directory or a hub id; the configured one unless given.")] = "",
    config: ConfigFlag = None,
    home: HomeFlag = None,
    set_: SetFlag = None,
) -> None:
    """Start vLLM with adapters switched on, and watch it."""
    import time

    from ...serving import VLLMServer, locate

    settings = read_settings(config, home, set_)
    name = name or settings.model.name
    say(f"starting vLLM with {name}; it takes a minute")
    with VLLMServer(locate(name), name=name, directory=settings.home / "vllm", max_lora_rank=settings.sleep.rank) as server:
        say(f"{server.url}  (Ctrl-C stops; `--set model.engine=vllm --set model.url={server.url}` uses it)")
        while not (ended := server.diagnose()):
            time.sleep(1)
    raise EngineUnreachable(ended)
