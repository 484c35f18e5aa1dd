"""Folders that the system makes: only what carries its mark is deleted, and what no row of the record names is never trusted."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.paths import AnyPath, delete_drafts

if TYPE_CHECKING:
    from .sqlite.record import Record

TRAINED = "training.json"
"""What a training writes beside its weights, as an object with `recipe` and `report`; it marks a directory as ours."""
PARTIAL = ".partial"
"""End of the name of a directory that is being written, which begins with a dot."""
RUN_MARK = "run.json"
"""File that makes a folder a run of ours; it holds the run's plan. A folder without it is never written to, linked or removed."""
RUN_KIND = "lifelong run"
"""What the mark says it is, so that another program's file of the same name is none."""
RUN_HOME = "home"
"""Folder of the record in the folder of a run."""
RUN_SUMMARY = "summary.json"
"""What a run found, in figures, and the texts that show it."""
RUN_REPORT = "report.html"
"""The same as a page."""

NAVIGATOR = "navigator"
"""Folder in the home of a run of navigation: what its navigator was after each stage, a checkpoint a folder."""
CHECKPOINT = "checkpoint.json"
"""What marks a folder as such a checkpoint; it names the episodes that were learned from."""
CHECKPOINT_KIND = "lifelong navigator"
"""What the mark says it is."""
_STAGE = re.compile(r"\.?stage-(\d+).*", re.DOTALL)


def is_ours(directory: AnyPath) -> bool:
    """Whether a directory carries our mark, or is one that a training had begun to write."""
    directory = Path(directory)
    if not directory.is_dir() or directory.is_symlink():
        return False
    if directory.name.startswith(".") and directory.name.endswith(PARTIAL):
        return True
    try:
        report = json.loads((directory / TRAINED).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(report, dict) and {"recipe", "report"} <= report.keys()


def delete_artefact(directory: AnyPath, root: AnyPath) -> bool:
    """Delete a directory that lies right below `root` and carries our mark; whether it is gone now. Anything else stays as it is."""
    root = Path(root)
    directory = Path(directory)
    if not directory.exists() and not directory.is_symlink():
        return True
    if directory.resolve().parent != root.resolve() or not is_ours(directory):
        return False
    discard_artefact(directory)
    return True


def discard_artefact(directory: AnyPath) -> None:
    """Delete a directory of ours, if it is there, under a name that is a mark itself: what a crash leaves of it is recognised."""
    directory = Path(directory)
    doomed = directory.with_name(f".erased-{directory.name.lstrip('.').removesuffix(PARTIAL)}{PARTIAL}")
    if not directory.exists():
        return
    if doomed != directory:
        shutil.rmtree(doomed, ignore_errors=True)
        directory.rename(doomed)
    shutil.rmtree(doomed)


def delete_strays(record: Record, root: AnyPath, keep: Iterable[str] = ()) -> list[str]:
    """Delete the adapter directories that no row of the record names, but for those whose names begin as one in `keep`; returns the rest's.

    What a crash left between training and recording is never trusted: nobody knows any more whose episodes it has seen.
    """
    root = Path(root)
    if not root.is_dir():
        return []
    named = {Path(adapter.path).resolve() for adapter in record.adapters.find()}
    kept = tuple(keep)
    strays = [
        path
        for path in sorted(root.iterdir())
        if path.resolve() not in named and not path.name.lstrip(".").startswith(kept or ("/",)) and is_ours(path)
    ]
    return [path.name for path in strays if delete_artefact(path, root)]


def delete_checkpoints(home: AnyPath, episodes: Collection[str]) -> list[str]:
    """Delete what a navigator has become by some episodes: the first checkpoint that learned from one, and all that go on from it.

    A checkpoint's mark names the episodes of its own stage alone, but its weights and what it replays come from those before it as well.
    One whose mark cannot be read, or that was being written, is taken for one that learned from them. Returns the names, below the home.
    """
    root, gone = Path(home) / NAVIGATOR, set(episodes)
    if not root.is_dir() or root.is_symlink() or not gone:
        return []
    folders = sorted(
        (int(match[1]), path)
        for path in root.iterdir()
        if (match := _STAGE.fullmatch(path.name)) and path.is_dir() and not path.is_symlink()
    )
    first = next((number for number, path in folders if not gone.isdisjoint(_learned_from(path, gone))), None)
    doomed = [path for number, path in folders if first is not None and number >= first]
    for path in doomed:
        shutil.rmtree(path)
    return [f"{NAVIGATOR}/{path.name}" for path in doomed]


def _learned_from(checkpoint: Path, unreadable: Collection[str]) -> Collection[str]:
    """The episodes that a checkpoint names; `unreadable` where its mark cannot be read."""
    try:
        mark = json.loads((checkpoint / CHECKPOINT).read_text(encoding="utf-8"))
        named = mark["episodes"] if mark["kind"] == CHECKPOINT_KIND else unreadable
        return [str(one) for one in named] if isinstance(named, list) else unreadable
    except (OSError, ValueError, KeyError, TypeError):
        return unreadable


def read_run_plan(folder: Path) -> dict[str, Any] | None:
    """The plan in the mark of a run's folder; None where there is no mark, or one that somebody else's program wrote."""
    try:
        mark = json.loads((folder / RUN_MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    ours = isinstance(mark, dict) and mark.get("kind") == RUN_KIND and isinstance(mark.get("plan"), dict)
    plan: dict[str, Any] | None = mark["plan"] if ours else None
    return plan


def run_folder(home: Path) -> Path | None:
    """The folder of the run whose home this is; None for a home that no run has made."""
    folder = home.absolute().parent
    return folder if home.absolute().name == RUN_HOME and read_run_plan(folder) is not None else None


def delete_run_documents(home: AnyPath) -> list[str]:
    """Delete the summary and the report beside a run's home, which quote its episodes; returns their names. Nothing else is touched."""
    home = Path(home)
    folder = run_folder(home)
    if folder is None:
        return []
    deleted = [name for name in (RUN_SUMMARY, RUN_REPORT) if (folder / name).is_file()]
    for name in deleted:
        (folder / name).unlink(missing_ok=True)
    return deleted + delete_drafts(folder)
