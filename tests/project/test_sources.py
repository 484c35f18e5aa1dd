"""Every method says where it comes from: a link to the paper, or that it is this project's own or has no paper."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

from source_tree import ROOT

SAID = ("https://", "this project", "no paper")
VERBS = ({"learn", "predict"}, {"fit", "score"}, {"discover"}, {"choose"}, {"encode"}, {"judge", "restore"})
"""What heads, scorers, discoverers, queries, encoders and recognisers do."""
MODULES = [
    *sorted((ROOT / "agents" / "reflection").glob("[a-z]*.py")),
    *sorted((ROOT / "agents" / "consolidation").glob("[a-z]*.py")),
    *(ROOT / "learners" / "adapters" / f"{name}.py" for name in ("lora", "publication", "substitution")),
    *sorted((ROOT / "learners" / "experimental" / "adapters").glob("[a-z]*.py")),
    *sorted((ROOT / "memory" / "cues").glob("[a-z]*.py")),
    *(ROOT / "perception" / f"{name}.py" for name in ("outcomes", "recogniser")),
    *sorted((ROOT / "perception" / "selective").glob("[a-z]*.py")),
]
"""Methods that are functions, or that no protocol describes."""


def about(tree: ast.Module, name: str) -> str:
    """What a module says of a class: its own docstring, the class as written, and the module's functions that it names."""
    nodes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    wanted, parts = [name], [ast.get_docstring(tree) or ""]
    for one in wanted:
        parts.append(ast.unparse(nodes[one]))
        names = {node.id for node in ast.walk(nodes[one]) if isinstance(node, ast.Name)}
        wanted += [other for other in nodes if other in names and other not in wanted]
    return "\n".join(parts)


def methods() -> list[type]:
    """Public classes that do what a method does, objectives among them; protocols are none."""
    found: dict[str, type] = {}
    for package in ("learners", "perception", "memory"):
        face = import_module(f"lifelong.{package}")
        for name in face.__all__:
            member: Any = getattr(face, name)
            if not inspect.isclass(member) or getattr(member, "_is_protocol", False):
                continue
            has = any(verbs <= set(dir(member)) for verbs in VERBS)
            if has or member.__module__.endswith(".objectives") or member.__name__ == "CueMemory":
                found[f"{package}.{name}"] = member
    return list(found.values())


def test_every_method_names_its_source() -> None:
    members = methods()
    assert len(members) > 50
    silent = [
        member.__qualname__
        for member in members
        if not any(said in about(ast.parse(Path(inspect.getfile(member)).read_text()), member.__name__) for said in SAID)
    ]
    assert silent == []


def test_every_module_of_methods_names_its_sources() -> None:
    texts = {file: file.read_text() for file in MODULES if file.name != "__init__.py"}
    assert len(texts) > 15
    assert [str(file.relative_to(ROOT)) for file, text in texts.items() if not any(said in text for said in SAID)] == []


def test_a_silent_class_is_seen() -> None:
    tree = ast.parse(
        'def formula(x):\n    "Paper, https://example.org"\nclass A:\n    def score(self, x): return formula(x)\nclass B: ...\n'
    )
    assert "https://" in about(tree, "A")
    assert "https://" not in about(tree, "B")
