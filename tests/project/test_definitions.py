"""One name, one thing: no public class and no type alias is defined twice in the package."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = [folder for folder in sorted(ROOT.iterdir()) if (folder / "__init__.py").exists() and folder.name != "tests"]


def definitions(tree: ast.Module) -> list[str]:
    """Public classes and aliases of types at the top of a module; an alias is written in capitalised words, as a class is."""
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    aliases = [node.targets[0].id for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    words = [name for name in aliases if len(name) > 1 and name[0].isupper() and not name.isupper()]
    return [name for name in (*classes, *words) if not name.startswith("_")]


def repeated(sources: dict[str, str]) -> dict[str, list[str]]:
    """Names that several modules define, and where."""
    places = defaultdict(list)
    for file, source in sources.items():
        for name in definitions(ast.parse(source)):
            places[name].append(file)
    return {name: files for name, files in places.items() if len(files) > 1}


def test_every_class_and_alias_is_defined_once() -> None:
    sources = {str(file.relative_to(ROOT)): file.read_text() for package in PACKAGES for file in package.rglob("*.py")}
    assert sum(len(definitions(ast.parse(source))) for source in sources.values()) > 300
    assert repeated(sources) == {}


def test_a_second_definition_is_seen() -> None:
    first, second = "Rows = list[int]\nT = 1\nBATCH = 2\n", "class Rows: ...\nT = 1\nBATCH = 3\n"
    assert repeated({"a.py": first, "b.py": second}) == {"Rows": ["a.py", "b.py"]}
