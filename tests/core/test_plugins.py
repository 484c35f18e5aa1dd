"""Names of extension points: built-in, installed, or a class of one's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, get_args

import pytest

from lifelong.core import PluginError, Settings, SettingsError, plugins
from lifelong.core.plugins import PACKAGES, Point, check_name, create, names, resolve

MODULE = """
class Plain:
    def __init__(self):
        self.given = {}

class Seeded:
    def __init__(self, *, seed, rate=0.5):
        self.given = {"seed": seed, "rate": rate}

class Everything:
    def __init__(self, **options):
        self.given = options

class Wanting:
    def __init__(self, blueprint):
        self.given = {"blueprint": blueprint}

constant = 7
"""
ENTRY_POINTS = """[lifelong.heads]
theirs = their_module:Seeded
ridge = their_module:Plain
broken = their_module:NotThere
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package of somebody else: a module and the metadata that pip would have written."""
    (tmp_path / "their_module.py").write_text(MODULE)
    (tmp_path / "failing_module.py").write_text("1 / 0\n")
    metadata = tmp_path / "theirs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("their_module", None)


@pytest.mark.parametrize("point", get_args(Point))
def test_every_built_in_member_can_be_imported(point: Point) -> None:
    members = import_module(f"lifelong.{PACKAGES[point]}").MEMBERS
    assert set(members) <= set(names(point))
    for name in members:
        assert resolve(point, name) is not None


def test_a_name_is_built_in_installed_or_a_path() -> None:
    assert resolve("heads", "ridge").__name__ == "RidgeHead", "a package may not take a built-in name"
    assert resolve("heads", "theirs").__name__ == "Seeded"
    assert resolve("heads", "their_module:Everything").__name__ == "Everything"
    assert names("heads").count("ridge") == 1
    assert names("heads")[-1] == "theirs"


@pytest.mark.parametrize(
    ("name", "offered", "given"),
    [
        ("their_module:Plain", {"seed": 3}, {}),
        ("theirs", {"seed": 3, "data": None}, {"seed": 3, "rate": 0.5}),
        ("their_module:Everything", {"seed": 3, "data": None}, {"seed": 3, "data": None}),
    ],
)
def test_a_member_is_given_what_its_signature_names(name: str, offered: dict[str, Any], given: dict[str, Any]) -> None:
    assert create("heads", name, **offered).given == given


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("absent", "it must be one of nearest_mean, "),
        ("two words:Head", "or a class of your own as module:Class"),
        ("no_module:Head", "cannot be imported: ModuleNotFoundError: No module named 'no_module'"),
        ("their_module:Missing", "cannot be imported: AttributeError"),
        ("broken", "cannot be imported: AttributeError"),
        ("failing_module:Head", "cannot be imported: ZeroDivisionError"),
        ("their_module:Wanting", "cannot be made with no arguments: missing a required argument: 'blueprint'"),
        ("their_module:constant", "it must be a class or a function that makes one"),
    ],
)
def test_what_cannot_be_made_is_said_with_the_reason(name: str, words: str) -> None:
    with pytest.raises(PluginError, match=r"the head (is )?'") as raised:
        create("heads", name, seed=0)
    assert words in str(raised.value)


@pytest.mark.parametrize(("setting", "point"), [("model.engine", "engines"), ("memory.encoder", "encoders"), ("memory.store", "stores")])
def test_settings_take_every_name_and_import_nothing(setting: str, point: Point, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "resolve", lambda *_: pytest.fail("a setting was imported when it was only named"))
    for name in (*names(point), "not_imported:Member"):
        assert Settings().with_values({setting: name})
    with pytest.raises(SettingsError, match=rf"{setting} is 'absent'; it must be one of {names(point)[0]}, "):
        Settings().with_values({setting: "absent"})


def test_a_name_is_checked_for_what_was_given() -> None:
    with pytest.raises(PluginError, match=r"^--method is 'absent'; it must be one of"):
        check_name("heads", "absent", "--method")


def test_a_class_that_inherits_a_protocol_alone_is_given_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shape(Protocol):
        sides: int

    class Square(Shape):
        sides = 4

    monkeypatch.setattr("lifelong.core.plugins.resolve", lambda point, name: Square)
    assert create("environments", "square", data="somewhere").sides == 4
