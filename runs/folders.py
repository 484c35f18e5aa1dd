"""Folders of runs: `begin_run` makes one for each run, `find_run` finds the one to resume. Nothing of somebody else is ever changed.

- OUT/20260301-142500-3f9a/   one run: run.json (the mark and the plan), home/, summary.json, report.html
- OUT/latest                  a link to the run that began last
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core import SettingsError
from ..core.paths import draft_path
from ..memory.artefacts import RUN_KIND, RUN_MARK, read_run_plan
from .renamed import current_plan

LATEST = "latest"
"""Name of the link beside the runs."""
_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")


def begin_run(out: Path, plan: Mapping[str, Any]) -> Path:
    """Make a new folder below `out` for a run with this plan, readable by its owner only. Earlier runs stay as they are.

    Raises `SettingsError`, before anything is made, where `out` is a file, a drive's root, a run itself, or holds something else
    of the name `latest`; and where it cannot be written to.
    """
    if out.resolve() == Path(out.resolve().anchor):
        raise SettingsError(f"--out {out} is the root of a drive; name a folder for the runs, such as --out runs")
    if is_run(out):
        raise SettingsError(f"--out {out} is itself a run; go on with it by --resume, or name the folder above it to begin another")
    try:
        out.mkdir(parents=True, exist_ok=True)
        _own_link(out)
        folder = out / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        folder.mkdir(mode=0o700)
        write_file(folder / RUN_MARK, json.dumps({"kind": RUN_KIND, "plan": dict(plan)}, indent=1))
    except OSError as error:
        raise SettingsError(f"--out {out} cannot hold a run: {error.strerror or error}; name a folder that can be written to") from error
    return folder


def mark_run(folder: Path, plan: Mapping[str, Any]) -> None:
    """Make a folder of a given name ours, or go on with it if it is. Raises `SettingsError` where it is there and is not ours."""
    if folder.exists() and not is_run(folder):
        raise SettingsError(f"{folder} is there and is not a run of lifelong; move it away")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(folder / RUN_MARK, json.dumps({"kind": RUN_KIND, "plan": dict(plan)}, indent=1))


def find_run(out: Path, plan: Mapping[str, Any]) -> Path:
    """The run to resume: `out` itself if it is one, else what `latest` points to, else the newest below it.

    Raises `SettingsError` where there is none, or where it began with another plan.
    """
    folder = out if is_run(out) else out / LATEST
    if not is_run(folder):
        ours = [each for each in out.glob("*") if _NAME.fullmatch(each.name) and is_run(each)] if out.is_dir() else []
        if not ours:
            raise SettingsError(f"there is no run to resume in {out}; leave --resume away to begin one")
        folder = max(ours, key=lambda each: each.name)
    folder = folder.resolve()
    begun = current_plan(read_run_plan(folder) or {})
    if begun != dict(plan):
        raise SettingsError(f"the run in {folder} began with {begun}, and is asked to go on with {dict(plan)}; use the same flags")
    return folder


def point_latest(folder: Path) -> None:
    """Let the link `latest` beside the run point to it. Where links cannot be made (some Windows accounts) there is none."""
    link = _own_link(folder.parent)
    draft = link.with_name(f".{LATEST}-{folder.name}")
    try:
        draft.symlink_to(folder.name, target_is_directory=True)
        draft.replace(link)
    except OSError:
        draft.unlink(missing_ok=True)


def discard_run(folder: Path) -> None:
    """Remove a run in which nothing was recorded. Raises `SettingsError` for a folder that is none of ours."""
    if not is_run(folder) or folder.is_symlink():
        raise SettingsError(f"{folder} is not a run of lifelong; it is left as it is")
    shutil.rmtree(folder)


def is_run(folder: Path) -> bool:
    """Whether the folder carries the mark of a run."""
    return read_run_plan(folder) is not None


def write_file(file: Path, text: str) -> None:
    """Write a file, readable by its owner only, that appears whole or not at all."""
    draft = draft_path(file)
    with open(draft, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
        stream.write(text)
    draft.replace(file)


def _own_link(out: Path) -> Path:
    """The path of `latest`, which must be free or a link of ours. Raises `SettingsError` otherwise."""
    link = out / LATEST
    if link.is_symlink() and _NAME.fullmatch(os.readlink(link)):
        return link
    if link.is_symlink() or link.exists():
        raise SettingsError(f"{link} is there and is not the link that this command keeps; move it away or name another --out")
    return link
