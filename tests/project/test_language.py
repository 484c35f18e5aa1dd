"""Names, messages and documents use the field's standard terms: the words below have a plain one and are refused."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(folder for folder in ROOT.iterdir() if (folder / "__init__.py").exists() and folder.name != "tests")
SOURCES = [ROOT / "__init__.py", *sorted(file for package in PACKAGES for file in package.rglob("*.py"))]
TEXTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.rglob("*.jinja"))]
TEXTS = [file for file in TEXTS if not {".venv", ".venv-vllm"} & set(file.parts)]

IDENTIFIERS = {
    "Parts", "notice_refiling", "refilings", "refiled", "told", "head_of", "vouched", "vouching_rule", "doubted", "foreign", "Lens",
    "ClassMoments", "KnownClasses", "Reading", "Given", "in_blocks", "examine", "arranged", "LANES", "BANDS", "SHARES", "lived", "Make",
    "Figures", "Stage", "Material", "Said", "Meter", "meter", "doubtful_tries", "promised_risk", "abstain_on_doubt", "specialise",
    "answer_tokens", "EXPERT", "MENDINGS", "mendings",
}  # fmt: skip
"""Names that have a standard one: `Components`, `repair_candidates`, `labelled_vectors`, `accepted`, `out_of_scope`, ..."""
PARTS = re.compile(r"(?:^|_)(?:mend(?:s|ed|ing|ings)?|vouch\w*|dreamt|foreign|refil\w*|lived)(?:$|_)", re.IGNORECASE)
"""Words that no name may be made of."""
WORDS = re.compile(
    r"\b(?:mend(?:s|ed|ing|ings)?|vouch(?:es|ed|ing)?|dreamt|refiling|foreign(?! keys?\b)|the house|of this room|a room of|lived|"
    r"laws? \d+|foreign task)\b",
    re.IGNORECASE,
)
"""Words that no docstring, comment, message or document may use. A foreign key is a term of databases."""
RENAMED = {"core/settings.py", "core/episodes.py"}
"""Files that hold the names of an earlier version, because its settings and records are still read."""


def identifiers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of everything that a file defines or uses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg) or (isinstance(node, ast.keyword) and node.arg):
            yield node.lineno, node.arg


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of every comment and string of a source file."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)):
            yield token.start[0], token.string


def refused_names(text: str) -> list[str]:
    """Names in a source file that have a standard term."""
    return [f"{line}: {name}" for line, name in identifiers(ast.parse(text)) if name in IDENTIFIERS or PARTS.search(name)]


def refused_words(lines: Iterator[tuple[int, str]]) -> list[str]:
    """Words in texts that have a plain one."""
    return [f"{line}: {match[0]}" for line, text in lines for match in WORDS.finditer(text)]


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_names_and_prose_of_a_source_file_are_standard(file: Path) -> None:
    text = file.read_text()
    assert refused_names(text) == []
    if str(file.relative_to(ROOT)) not in RENAMED:
        assert refused_words(prose(text)) == []


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_document_is_written_in_plain_words(file: Path) -> None:
    assert refused_words(iter(enumerate(file.read_text().splitlines(), 1))) == []


def test_the_rules_see_what_they_forbid() -> None:
    assert refused_names("def told(): pass\nx.vouched = 1\nf(foreign=2)\nknown = 3\n") == ["1: told", "2: vouched", "3: foreign"]
    assert refused_words(prose('"""A law 8."""\n# mended\n"a foreign key"\n')) == ["1: law 8", "2: mended"]
