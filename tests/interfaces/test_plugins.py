"""A package of somebody else adds a member to every extension point, and the real commands use them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from installed import install
from processes.command_line import run_command

from lifelong.checks import check_encoder, check_engine, check_environment, check_head
from lifelong.core import Settings
from lifelong.core.plugins import Point, create, names

PACKAGE = Path(__file__).resolve().parents[1] / "plugin_package"
MEMBERS: dict[Point, str] = {
    "encoders": "letters",
    "engines": "flip",
    "environments": "flip-v1",
    "heads": "class_mean",
    "strategies": "calm",
    "suites": "flip",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the package is installed."""
    return install(PACKAGE, tmp_path_factory.mktemp("site"))


def lifelong(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, in a folder of its own."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    data = {name: value for name, value in os.environ.items() if name == "LIFELONG_DATA"}
    return run_command(*words, folder=folder, PYTHONPATH=path, COLUMNS="200", **data)


def test_members_are_found_and_fulfil_their_contracts(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(site))
    for point, name in MEMBERS.items():
        assert name in names(point)
    check_environment(create("environments", "flip-v1"))
    check_engine(create("engines", "flip", settings=Settings()))
    check_encoder(lambda: create("encoders", "letters"))
    check_head(lambda: create("heads", "class_mean", seed=0))


def test_a_run_uses_environment_engine_and_encoder_of_the_package(site: Path, tmp_path: Path) -> None:
    flags = ["--environments", "flip", "--tasks", "6,4,2", "--set", "model.engine=flip", "--set", "memory.encoder=letters"]
    result = lifelong(site, tmp_path, "run", *flags, "--set", "wake.control_share=0", "--set", "wake.strategy=calm", "--out", "runs")
    assert result.returncode == 0, result.stderr
    summary = json.loads((tmp_path / "runs" / "latest" / "summary.json").read_text())
    assert [row["environment"] for row in summary["evaluations"]] == ["flip", "flip"]
    assert all(row["each"] == [True] * 4 for row in summary["evaluations"]), "this engine solves every task"
    status = lifelong(site, tmp_path, "status", "--home", "runs/latest/home", "--set", "memory.encoder=letters")
    assert "flip" in status.stdout, status.stderr


def test_classes_of_the_folder_run_without_any_package(tmp_path: Path) -> None:
    for name in ("environment", "engine"):
        (tmp_path / f"my_{name}.py").write_text((PACKAGE / "flip" / f"{name}.py").read_text())
    flags = ["--families", "my_environment:FlipEnvironment", "--tasks", "3,2,0", "--set", "model.engine=my_engine:FlipEngine"]
    result = lifelong(tmp_path / "nothing", tmp_path, "run", *flags, "--set", "memory.encoder=hashed", "--out", "runs")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "runs" / "latest" / "report.html").is_file()
    assert "the flag --families is now called --environments; use the new name" in result.stderr


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--environments", "flop"], "the environment is 'flop'; it must be one of database-v1, "),
        (["--environments", "absent:Environment"], "the environment 'absent:Environment' cannot be imported: ModuleNotFoundError"),
        (["--environments", "flip.head:ClassMeanHead"], "environment 'flip.head:ClassMeanHead' has no id, max_steps"),
        (["--environments", "flip", "--tasks", "3"], "must be three whole numbers"),
        (["--environments", "flip", "--set", "model.engine=flap"], "model.engine is 'flap'; it must be one of embedded, "),
    ],
)
def test_what_is_not_there_is_one_line(site: Path, tmp_path: Path, flags: list[str], words: str) -> None:
    result = lifelong(site, tmp_path, "run", *flags, "--out", "runs")
    assert result.returncode == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_suite_of_the_package_runs_whole_and_one_row_alone(site: Path, tmp_path: Path) -> None:
    assert "shows whether a word is written backwards" in lifelong(site, tmp_path, "bench", "--list").stdout
    for methods, rows in (([], [("flip", 1.0), ("silence", 0.0)]), (["--method", "silence"], [("silence", 0.0)])):
        result = lifelong(site, tmp_path, "bench", "flip", "--quick", "--json", "figures.json", *methods)
        assert result.returncode == 0, result.stderr
        figures = json.loads((tmp_path / "figures.json").read_text())
        assert [(row["method"], row["value"]) for row in figures["results"]] == rows
    result = lifelong(site, tmp_path, "bench", "flip", "--quick", "--method", "shouting")
    assert (result.returncode, result.stderr.strip()) == (2, "lifelong: suite flip has no row of method shouting")


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif("LIFELONG_DATA" not in os.environ, reason="LIFELONG_DATA names no data directory")
def test_a_head_of_the_package_is_a_row_of_the_suite_continual(site: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text((PACKAGE / "flip" / "head.py").read_text())
    methods = ["class_mean", "mine:ClassMeanHead", "nearest_mean"]
    flags = [word for method in methods for word in ("--method", method)]
    result = lifelong(site, tmp_path, "bench", "continual", "--quick", *flags, "--case", "10x15", "--json", "figures.json")
    assert result.returncode == 0, result.stderr
    rows = json.loads((tmp_path / "figures.json").read_text())["results"]
    found = {(row["case"], row["method"]): row["value"] for row in rows if row["metric"] == "last_accuracy"}
    assert set(found) == {("clinc150 10x15", method) for method in methods}
    assert found["clinc150 10x15", "class_mean"] == found["clinc150 10x15", "mine:ClassMeanHead"] > 0.8
    assert found["clinc150 10x15", "nearest_mean"] > 0.8
