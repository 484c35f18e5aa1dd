"""The recipes of CONTRIBUTING.md, performed on a copy of the package: one file, one line, and the contract holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "tests" / "plugin_package" / "flip"
RECIPES = {
    "environment": ("envs", "flip-v1", "FlipEnvironment", "check_environment(create('environments', 'flip-v1'))"),
    "engine": ("serving", "flip", "FlipEngine", "check_engine(create('engines', 'flip', settings=Settings()))"),
    "strategy": (
        "agents/strategies",
        "calm",
        "CalmStrategy",
        "assert 'calm' in names('strategies') and create('strategies', 'calm', engine=None)",
    ),
    "encoder": ("perception/encoders", "letters", "LetterEncoder", "check_encoder(lambda: create('encoders', 'letters'))"),
    "head": ("learners/heads", "class_mean", "ClassMeanHead", "check_head(lambda: create('heads', 'class_mean', seed=0))"),
}
"""Folder, name, class, and what must work afterwards."""
IMPORTS = "from lifelong.checks import *\nfrom lifelong.core import Settings\nfrom lifelong.core.plugins import create, names\n"


def copy(target: Path) -> Path:
    """The package alone, without tests, results and what git ignores."""
    folders = [folder for folder in ROOT.iterdir() if (folder / "__init__.py").exists() and folder.name != "tests"]
    for folder in folders:
        shutil.copytree(folder, target / folder.name, ignore=shutil.ignore_patterns("__pycache__", "*.json", "*.svg"))
    shutil.copy(ROOT / "__init__.py", target)
    return target


def perform(package: Path, kind: str) -> None:
    folder, name, member, _ = RECIPES[kind]
    shutil.copy(PLUGIN / f"{kind}.py", package / folder / f"my_{kind}.py")
    table = package / folder / "__init__.py"
    text = table.read_text()
    assert "MEMBERS = {" in text
    table.write_text(text.replace("MEMBERS = {", f'MEMBERS = {{\n    "{name}": "my_{kind}:{member}",', 1))


def changed(package: Path) -> tuple[list[str], dict[str, int]]:
    """Files that are new, and how many lines were added to each of the others."""
    new, added = [], {}
    for file in sorted(package.rglob("*.py")):
        name = str(file.relative_to(package))
        if not (ROOT / name).exists():
            new.append(name)
        elif file.read_text() != (ROOT / name).read_text():
            added[name] = len(file.read_text().splitlines()) - len((ROOT / name).read_text().splitlines())
    return new, added


@pytest.mark.parametrize("kind", RECIPES)
def test_a_member_is_one_file_and_one_line(kind: str, tmp_path: Path) -> None:
    package = copy(tmp_path / "lifelong")
    perform(package, kind)
    folder, _, _, check = RECIPES[kind]
    new, added = changed(package)
    assert new == [f"{folder}/my_{kind}.py"]
    assert list(added) == [f"{folder}/__init__.py"]
    assert added[f"{folder}/__init__.py"] <= 1 + (kind == "encoder"), "a table on one line is opened first"
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", IMPORTS + check], capture_output=True, text=True, env=environ, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr


def test_the_recipes_name_files_and_tables_that_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert len([line for line in text.splitlines() if line[:1].isdigit()]) == 9
    for folder, *_ in RECIPES.values():
        assert f"`{folder}/__init__.py`" in text
    for table, file in (
        ("PHASES", "orchestrator/phases/__init__.py"),
        ("CODECS", "interfaces/gateway/app.py"),
        ("SUITES", "evals/__init__.py"),
    ):
        assert table in (ROOT / file).read_text()
        assert f"`{file}`" in text
