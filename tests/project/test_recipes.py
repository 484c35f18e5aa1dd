"""The recipes of CONTRIBUTING.md, performed on a copy of the package: one file, one line, and the contract holds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
TABLE = re.compile(r"^MEMBERS(: .+)? = \{", re.MULTILINE)
IMPORTS = "from lifelong.checks import *\nfrom lifelong.core import Settings\nfrom lifelong.core.plugins import create, names\n"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What somebody writes, where, and what must work afterwards."""

    source: Path
    """The file that is written."""
    folder: str
    """Where it is put; its package's `__init__.py` holds the table, unless `table` says otherwise."""
    line: str
    """The line that is added to `MEMBERS`; {} stands for the module."""
    check: str
    """Python that fails where the member does not work."""
    table: str = ""
    """The package with the table."""


PLUGIN, OWN = TESTS / "plugin_package" / "flip", TESTS / "support" / "own_members"
RECIPES = {
    "environment": Recipe(
        source=PLUGIN / "environment.py",
        folder="envs",
        line='"flip-v1": "{}:FlipEnvironment"',
        check="check_environment(create('environments', 'flip-v1'))",
    ),
    "engine": Recipe(
        source=PLUGIN / "engine.py",
        folder="serving",
        line='"flip": "{}:FlipEngine"',
        check="check_engine(create('engines', 'flip', settings=Settings()))",
    ),
    "strategy": Recipe(
        source=PLUGIN / "strategy.py",
        folder="agents/strategies",
        line='"calm": "{}:CalmStrategy"',
        check="check_strategy(lambda engine: create('strategies', 'calm', engine=engine))",
    ),
    "encoder": Recipe(
        source=PLUGIN / "encoder.py",
        folder="perception/encoders",
        line='"letters": "{}:LetterEncoder"',
        check="check_encoder(lambda: create('encoders', 'letters'))",
    ),
    "head": Recipe(
        source=PLUGIN / "head.py",
        folder="learners/heads",
        line='"class_mean": "{}:ClassMeanHead"',
        check="check_head(lambda: create('heads', 'class_mean', seed=0))",
    ),
    "scorer": Recipe(
        source=OWN / "scorer.py",
        folder="perception/scores",
        line='"GapConfidence": "{}:GapConfidence"',
        check="from lifelong.perception import GapConfidence; check_scorer(GapConfidence)",
    ),
    "discoverer": Recipe(
        source=OWN / "discoverer.py",
        folder="perception/discovery",
        line='"FarthestFirst": "{}:FarthestFirst"',
        check="from lifelong.perception import FarthestFirst; check_discoverer(FarthestFirst)",
    ),
    "store": Recipe(
        source=OWN / "store.py",
        folder="memory",
        line='"audited": "{}:AuditedStore"',
        check="import own_members.keeper; own_members.keeper.keep('audited', 'flip')",
    ),
    "phase": Recipe(
        source=OWN / "phase.py",
        folder="orchestrator/phases",
        line='"count": "{}:CountEpisodes"',
        check="import own_members.night; own_members.night.sleep('count')",
    ),
    "codec": Recipe(
        source=OWN / "codec.py",
        folder="interfaces/gateway/protocols",
        line='"plain": "{}:PlainCodec"',
        check="import own_members.client; own_members.client.ask('plain')",
    ),
    "suite": Recipe(
        source=OWN / "suite.py",
        folder="evals/suites",
        line='"coin": "suites.{}:SUITE"',
        table="evals",
        check="from lifelong.interfaces.cli import app; app(['bench', 'coin', '--quick', '--json', 'coin.json'], standalone_mode=False)\n"
        "from lifelong.evals import read_results; assert [row.value for row in read_results('coin.json').results] == [1.0, 0.5]",
    ),
}
NUMBERED = ("environment", "engine", "strategy", "encoder", "head", ("scorer", "discoverer"), "store", "phase", "codec", "suite")
"""The recipes in the order of CONTRIBUTING.md; one of them is for either of two."""


def left_out(folder: str, names: list[str]) -> set[str]:
    """Measured figures, and what git ignores."""
    return {name for name in names if name == "__pycache__" or ("results" in Path(folder).parts and name.endswith((".json", ".svg")))}


def copy(target: Path) -> Path:
    """The package alone, without tests, results and what git ignores."""
    folders = [folder for folder in ROOT.iterdir() if (folder / "__init__.py").exists() and folder.name != "tests"]
    for folder in folders:
        shutil.copytree(folder, target / folder.name, ignore=left_out)
    shutil.copy(ROOT / "__init__.py", target)
    return target


def perform(package: Path, kind: str) -> None:
    recipe = RECIPES[kind]
    shutil.copy(recipe.source, package / recipe.folder / f"my_{kind}.py")
    table = package / (recipe.table or recipe.folder) / "__init__.py"
    text, count = TABLE.subn(lambda found: f"{found[0]}\n    {recipe.line.format(f'my_{kind}')},", table.read_text())
    assert count == 1
    table.write_text(text)


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


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy(tmp_path_factory.mktemp("copy") / "lifelong")


def test_every_member_is_one_file_and_one_line_and_keeps_its_contract(package: Path) -> None:
    before: tuple[list[str], dict[str, int]] = ([], {})
    for kind, recipe in RECIPES.items():
        perform(package, kind)
        new, added = changed(package)
        table = f"{recipe.table or recipe.folder}/__init__.py"
        assert set(new) - set(before[0]) == {f"{recipe.folder}/my_{kind}.py"}
        assert added == before[1] | {table: 1}, kind
        before = new, added
    # All in one process, as most of the time goes into importing.
    lines = [IMPORTS, *(f"print({kind!r})\n{recipe.check}" for kind, recipe in RECIPES.items())]
    folder = package.parent
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(TESTS / "support")])}
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=folder, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_every_recipe_is_performed_and_names_its_files() -> None:
    recipes = re.findall(r"^\d+\. \*\*(.+?)\*\*(.+?)(?=^\d+\. |\Z)", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(recipes) == len(NUMBERED) == 10
    for kinds, (title, text) in zip(NUMBERED, recipes, strict=True):
        for kind in (kinds,) if isinstance(kinds, str) else kinds:
            assert kind in title.lower()
            assert f"`{RECIPES[kind].folder}/NAME.py`" in text
            assert f"`{RECIPES[kind].table or RECIPES[kind].folder}/__init__.py`" in text
    assert {kind for kinds in NUMBERED for kind in ((kinds,) if isinstance(kinds, str) else kinds)} == set(RECIPES)
