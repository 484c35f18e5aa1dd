"""What the README says is so: its commands exist, its tree is the tree, its settings are settings."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from lifelong.core import Settings
from lifelong.interfaces.cli import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
OWN_VERBS = {"test", "check", "setup", "setup-vllm"}


def test_every_command_shown_is_a_command() -> None:
    shown = set(re.findall(r"./lifelong.sh ([a-z][a-z-]*)", README))
    assert shown >= {"run", "test"}
    assert shown - OWN_VERBS <= set(get_command(app).commands)  # type: ignore[attr-defined]


def test_the_tree_names_every_package_in_five_words() -> None:
    lines = dict(re.findall(r"^([a-z]+)/ +(.+)$", README, re.MULTILINE))
    packages = {folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists()} | {"tests"}
    assert set(lines) == packages
    assert {package: words for package, words in lines.items() if len(words.split()) > 5} == {}


def test_every_setting_shown_is_accepted() -> None:
    shown = dict(re.findall(r"--set ([\w.]+)=(\S+?)[`\s)]", README))
    assert shown
    Settings().with_values(shown)


@pytest.mark.model
def test_the_first_example_prints_what_is_shown(tmp_path: Path) -> None:
    shown = re.search(r"```python\n(.*?)```\n\nprints.*?\n\n```text\n(.*?)```", README, re.DOTALL)
    assert shown
    result = subprocess.run([sys.executable, "-c", shown[1]], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout == shown[2]


def test_every_python_block_compiles() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        compile(block, "README.md", "exec")
