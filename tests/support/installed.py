"""A package as pip would have installed it, without pip: its modules and its metadata in a folder for `PYTHONPATH`."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path


def install(package: Path, target: Path) -> Path:
    """Copy a package with a pyproject.toml into `target` and write the metadata that names its entry points; returns `target`."""
    project = tomllib.loads((package / "pyproject.toml").read_text())
    about = project["project"]
    for name in project["tool"]["setuptools"]["packages"]:
        shutil.copytree(package / name, target / name, dirs_exist_ok=True)
    metadata = target / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
    lines = [line for group, points in about["entry-points"].items() for line in (f"[{group}]", *(f"{k} = {v}" for k, v in points.items()))]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return target
