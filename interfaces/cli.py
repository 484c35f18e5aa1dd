"""The `lifelong` command: every verb, and one clear line for every error."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..core import LifelongError
from ..core.extras import missing
from .commands import bench as _commands_bench
from .commands import importing as _commands_importing
from .commands import learning as _commands_learning
from .commands import looking as _commands_looking
from .commands import memory as _commands_memory
from .commands import serving as _commands_serving
from .commands import skills as _commands_skills
from .console import complain, explain_os_error, prepare_console, report_unexpected

FAILED = 2
"""Exit status of a command that a `LifelongError`, or a place that cannot be read or written, has ended; as for a wrong flag."""

UNEXPECTED = 70
"""Exit status of a command that failed in a way nobody foresaw (`EX_SOFTWARE` of sysexits.h)."""

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
app.command("import")(_commands_importing.import_)
app.command("status")(_commands_looking.status)
app.command("sessions")(_commands_looking.sessions)
app.command("show")(_commands_looking.show)
app.command("lessons")(_commands_looking.lessons)
app.command("questions")(_commands_looking.questions)
app.command("answer")(_commands_looking.answer)
app.add_typer(_commands_skills.skills, name="skills")
app.command("serve")(_commands_serving.serve)
app.command("serve-model")(_commands_serving.serve_model)
app.add_typer(_commands_serving.models, name="models")
app.add_typer(_commands_memory.memory, name="memory")
app.command("bench")(_commands_bench.bench)


def _print_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"lifelong {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")] = False,
) -> None:
    """Flags of the command itself."""


def main() -> None:
    """Run the command in `sys.argv`.

    Ends with status 2 for a `LifelongError`, for a package that only an extra installs, and for a place that cannot be read or
    written, 130 for Ctrl-C, and 70 for any other error, whose traceback is kept in a file and not printed.
    """
    prepare_console()
    try:
        app(prog_name="lifelong")
    except LifelongError as error:
        complain(str(error))
        sys.exit(FAILED)
    except ModuleNotFoundError as error:
        if not (remedy := missing(error.name or "")):
            report_unexpected(error)
            sys.exit(UNEXPECTED)
        complain(remedy)
        sys.exit(FAILED)
    except OSError as error:
        complain(explain_os_error(error))
        sys.exit(FAILED)
    except Exception as error:
        report_unexpected(error)
        sys.exit(UNEXPECTED)
