"""The `lifelong` command: every verb of the house, one clear line for every error made on purpose."""

from __future__ import annotations

import sys

import typer

from ..core import LifelongError
from .commands import bench as _commands_bench
from .commands import learning as _commands_learning
from .commands import looking as _commands_looking
from .commands import serving as _commands_serving

FAILED = 2
"""Exit status of a command that a `LifelongError` ended; typer uses the same for a wrong flag."""

app = typer.Typer(
    name="lifelong",
    help="An agent that gets better with use, knows when it does not know, and forgets on request.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help takes half the time
)
app.command("run")(_commands_learning.run)
app.command("sleep")(_commands_learning.sleep)
app.command("forget")(_commands_learning.forget)
app.command("rollback")(_commands_learning.rollback)
app.command("status")(_commands_looking.status)
app.command("lessons")(_commands_looking.lessons)
app.command("questions")(_commands_looking.questions)
app.command("answer")(_commands_looking.answer)
app.command("serve")(_commands_serving.serve)
app.command("serve-model")(_commands_serving.serve_model)
app.add_typer(_commands_serving.models, name="models")
app.command("bench")(_commands_bench.bench)


def main() -> None:
    """Run the command in `sys.argv`. Ends with status 2 for a `LifelongError`, 130 for Ctrl-C."""
    try:
        app()
    except LifelongError as error:
        print(f"lifelong: {error}", file=sys.stderr)
        sys.exit(FAILED)
