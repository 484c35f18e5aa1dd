"""A package that only an extra installs: the error names the extra, in Python and on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lifelong.core import PackageMissing, extras
from lifelong.core.extras import missing, require

WITHOUT = """
import importlib.util, sys
from importlib.abc import MetaPathFinder
HIDDEN = {hidden!r}
class Hide(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hide())
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in HIDDEN else found(name, package)
from lifelong.interfaces.cli import main
for words in {commands!r}:
    sys.argv = ["lifelong", *words]
    try:
        main()
    except SystemExit as end:
        status = end.code or 0
        print("status", status)
sys.exit(status)
"""


def without(hidden: set[str], folder: Path, *commands: list[str]) -> subprocess.CompletedProcess[str]:
    """Commands, one after another, in a process that cannot import some packages; a line says the status of each."""
    script = WITHOUT.format(hidden=hidden, commands=commands)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=folder, env=os.environ, check=False)


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "trl" else object())
    require("torch")
    with pytest.raises(PackageMissing, match=r"trl is not installed; it comes with: pip install 'lifelong\[train\]'"):
        require("torch", "trl")
    assert issubclass(PackageMissing, ImportError)


def test_a_package_of_no_extra_is_not_explained() -> None:
    assert missing("no_such_package") == ""
    assert missing("torch.nn").startswith("torch.nn is not installed; it comes with: pip install 'lifelong[local]'")


@pytest.mark.parametrize(
    ("flags", "extra"),
    [
        (["--set", "memory.encoder=hashed"], "local"),
    ],
)
def test_a_command_that_needs_an_extra_says_so_in_one_line(tmp_path: Path, flags: list[str], extra: str) -> None:
    result = without({"torch", "transformers", "sentence_transformers"}, tmp_path, ["serve", *flags])
    assert result.returncode == 2
    assert f"pip install 'lifelong[{extra}]'" in result.stderr
    assert "Traceback" not in result.stderr


def test_what_needs_no_model_runs_without_any_extra(tmp_path: Path) -> None:
    result = without(set(extras.EXTRAS), tmp_path, ["--version"], ["--help"], ["bench", "--list"], ["models", "list"], ["status"])
    assert [line for line in result.stdout.splitlines() if line.startswith("status ")] == [*["status 0"] * 4, "status 2"], result.stderr
    assert "there is no record" in result.stderr
