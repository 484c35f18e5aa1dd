"""One name, one thing: no public class and no type alias is defined twice in the package."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping

from source_tree import SOURCES, name, tree


def definitions(tree: ast.Module) -> list[str]:
    """Public classes and aliases of types at the top of a module; an alias is written in capitalised words, as a class is."""
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    aliases = [node.targets[0].id for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    words = [name for name in aliases if len(name) > 1 and name[0].isupper() and not name.isupper()]
    return [name for name in (*classes, *words) if not name.startswith("_")]


def repeated(modules: Mapping[str, ast.Module]) -> dict[str, list[str]]:
    """Names that several modules define, and where."""
    places = defaultdict(list)
    for file, module in modules.items():
        for defined in definitions(module):
            places[defined].append(file)
    return {defined: files for defined, files in places.items() if len(files) > 1}


def test_every_class_and_alias_is_defined_once() -> None:
    modules = {name(file): tree(file) for file in SOURCES}
    assert sum(len(definitions(module)) for module in modules.values()) > 300
    assert repeated(modules) == {}


def test_a_second_definition_is_seen() -> None:
    first, second = "Rows = list[int]\nT = 1\nBATCH = 2\n", "class Rows: ...\nT = 1\nBATCH = 3\n"
    assert repeated({"a.py": ast.parse(first), "b.py": ast.parse(second)}) == {"Rows": ["a.py", "b.py"]}
