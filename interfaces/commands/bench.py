"""The command that measures: `bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...core import DataMissing
from ...metrics.tables import is_terminal, print_tables
from ..console import complain, say
from .options import DataFlag, import_from_here

NO_DATA = 3
"""Exit status when a suite's data are not there, so that a script can tell it from a failure."""
ROOT = Path(__file__).resolve().parents[2]


OWN = (
    "One of your own is named as module:Class: a head in `continual` and `unlearning`, a scorer in `perception` and `scoring`, "
    "an encoder in `encoders`, an engine or a strategy in `loop`."
)


def bench(
    suite: Annotated[str, typer.Argument(help="A name that --list shows.")] = "",
    list_: Annotated[bool, typer.Option("--list", help="Say what each suite shows and what it needs.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes, one minute.")] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds to average over.")] = 1,
    data: DataFlag = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Keep the figures of the --json file that are not measured again, with their commit.")
    ] = False,
    texts: Annotated[
        Path | None,
        typer.Option("--texts", help="Measure on this file in place of the suite's data: text and label as JSON, one a line."),
    ] = None,
    model_url: Annotated[
        str,
        typer.Option("--model-url", help="The model at this URL, the first it lists, in place of the default one; key in OPENAI_API_KEY."),
    ] = "",
    method: Annotated[list[str] | None, typer.Option("--method", help=f"Only this method; may be repeated. {OWN}")] = None,
    case: Annotated[
        list[str] | None,
        typer.Option("--case", help="Only cases that contain this text, or a module of the suite; in `loop` also an environment."),
    ] = None,
    documents: Annotated[
        bool, typer.Option("--documents", help="Write the measured tables of README.md and docs/benchmarks.md from evals/results.")
    ] = False,
) -> None:
    """Measure ours against the baselines, and print the table.

    Ends with status 3 where data are missing.
    """
    from ...evals.bench import all_suites
    from ...evals.row_filter import RowFilter

    if documents:
        from ...evals.documents import write_documents

        write_documents(ROOT)
    elif list_:
        for one in all_suites():
            reads = f"\n  reads {', '.join(one.files)}" if one.files else ""
            say(f"{one.name}\n  shows {one.shows}\n  needs {one.needs}{reads}")
    elif suite:
        import_from_here(suite, *(method or []), *(case or []))
        only = RowFilter(methods=tuple(method or ()), cases=tuple(case or ()))
        _measure(suite, quick=quick, seeds=seeds, data=data, file=json, only=only, update=update, texts=texts, model_url=model_url)
    else:
        raise typer.BadParameter("name a suite, or ask for --list")


def _measure(name: str, *, file: Path | None, **asked: Any) -> None:
    from ...evals import pipe_table, terminal_tables
    from ...evals.bench import find_suite, run_suite

    try:
        results = run_suite(find_suite(name), file=file, **asked)
    except DataMissing as error:
        complain(str(error))
        raise typer.Exit(NO_DATA) from error
    notes = [f"What was chosen, on which data: {results.selection}"] + [f"written to {file}"] * (file is not None)
    print_tables(terminal_tables(results) if is_terminal() else [pipe_table(results)], notes)
