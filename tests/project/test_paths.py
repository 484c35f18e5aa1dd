"""What is public and takes a path takes it as a text too."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from source_tree import PACKAGE_NAMES


def functions(name: str, member: Any) -> Iterator[tuple[str, Any]]:
    """A public function; or what makes an instance of a public class, and its public methods."""
    if inspect.isfunction(member):
        yield name, member
    elif inspect.isclass(member) and not getattr(member, "_is_protocol", False):
        for method, found in inspect.getmembers(member, lambda one: inspect.isfunction(one) or inspect.ismethod(one)):
            if method == "__init__" and dataclasses.is_dataclass(member):
                continue  # a value holds the path that a function has read
            if method == "__init__" or not method.startswith("_"):
                yield f"{name}.{method}", found


def wrong(name: str, member: Any) -> list[str]:
    """Parameters that say `Path`, and so refuse texts."""
    return [
        f"{place}({parameter.name})"
        for place, function in functions(name, member)
        for parameter in inspect.signature(function).parameters.values()
        if re.search(r"\bPath\b", said := str(parameter.annotation)) and not re.search(r"\bstr\b|Callable", said)
    ]


def test_public_functions_take_texts_for_paths() -> None:
    found, seen = [], 0
    for package in PACKAGE_NAMES:
        face = import_module(f"lifelong.{package}")
        for name in getattr(face, "__all__", ()):
            member = getattr(face, name)
            seen += len(list(functions(name, member)))
            found += [f"{package}.{one}" for one in wrong(name, member)]
    assert seen > 300
    assert found == []


def test_a_function_that_refuses_texts_is_seen() -> None:
    def read(path: inspect.Parameter, text: str) -> None: ...

    read.__annotations__["path"] = "Path | None"
    assert wrong("read", read) == ["read(path)"]
