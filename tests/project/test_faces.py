"""A package's face names what it offers, and importing it costs nothing."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest
from source_tree import PACKAGE_NAMES

FACES = ["lifelong", *(f"lifelong.{package}" for package in PACKAGE_NAMES)]
HEAVY = {
    "accelerate",
    "datasets",
    "faiss",
    "gymnasium",
    "matplotlib",
    "peft",
    "sentence_transformers",
    "torch",
    "transformers",
    "trl",
    "vllm",
}


@pytest.mark.parametrize("face", FACES)
def test_every_name_of_a_face_is_there_once_and_public(face: str) -> None:
    package = import_module(face)
    assert package.__doc__
    assert len(set(package.__all__)) == len(package.__all__) > 0
    for name in package.__all__:
        assert not name.startswith("_")
        assert getattr(package, name) is not None


@pytest.mark.parametrize("face", FACES)
def test_an_unknown_name_is_an_attribute_error(face: str) -> None:
    with pytest.raises(AttributeError):
        import_module(face).no_such_name  # noqa: B018


def test_importing_a_face_imports_nothing_heavy() -> None:
    """One process imports all of them, and says after each what has come in."""
    look = f"print(*sorted({{name.partition('.')[0] for name in sys.modules}} & {HEAVY!r}), flush=True)"
    script = "\n".join(["import sys", *(f"import {face}; {look}" for face in FACES)])
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert dict(zip(FACES, result.stdout.split("\n"), strict=False)) == dict.fromkeys(FACES, "")
