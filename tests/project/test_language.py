"""Names, messages and documents use the field's standard terms: the words below have a plain one and are refused."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from source_tree import PACKAGES, ROOT, SOURCES, TESTS, offenders, text, tree
from source_tree import name as name_of

TEXTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
TEXTS += [file for package in PACKAGES for file in sorted(package.rglob("*.jinja"))]

IDENTIFIERS = {
    "Parts", "notice_refiling", "refilings", "refiled", "told", "head_of", "vouched", "vouching_rule", "doubted", "foreign", "Lens",
    "ClassMoments", "KnownClasses", "Reading", "Given", "in_blocks", "examine", "arranged", "LANES", "BANDS", "SHARES", "lived", "Make",
    "Figures", "Stage", "Material", "Said", "Meter", "meter", "doubtful_tries", "promised_risk", "abstain_on_doubt", "specialise",
    "answer_tokens", "EXPERT", "MENDINGS", "mendings",
}  # fmt: skip
"""Names that have a standard one: `Components`, `repair_candidates`, `labelled_vectors`, `accepted`, `out_of_scope`, ..."""
PARTS = re.compile(r"(?:^|_)(?:mend(?:s|ed|ing|ings)?|vouch\w*|dreamt|foreign|refil\w*|lived|laws?|famil(?:y|ies))(?:$|_)", re.IGNORECASE)
"""Words that no name may be made of."""
WORDS = re.compile(
    r"\b(?:mend(?:s|ed|ing|ings)?|vouch(?:es|ed|ing)?|dreamt|refiling|foreign(?! keys?\b)|the house|of this room|a room of|lived|"
    r"laws? \d+|foreign task|(?<!font-)famil(?:y|ies))\b",
    re.IGNORECASE,
)
"""Words that no docstring, comment, message or document may use. Databases have foreign keys, style sheets font-families."""
RENAMED = {"CHANGELOG.md", "core/settings.py", "core/episodes.py", "runs/renamed.py", "interfaces/commands/learning.py"}
RENAMED |= {"tests/interfaces/commands/test_learning.py", "tests/interfaces/test_plugins.py", "tests/runs/test_renamed.py"}
"""Files that hold the names of an earlier version, because its settings and records are still read."""
FILES = [file for file in (*SOURCES, *TESTS) if file != Path(__file__)]


def identifiers(module: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of everything that a file defines or uses."""
    for node in ast.walk(module):
        if isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg) or (isinstance(node, ast.keyword) and node.arg):
            yield node.lineno, node.arg


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every comment and string of a source file."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)):
            yield token.start[0], token.string


def refused_names(module: ast.AST) -> list[str]:
    """Names in a source file that have a standard term."""
    return [f"{line}: {name}" for line, name in identifiers(module) if name in IDENTIFIERS or PARTS.search(name)]


def refused_words(lines: Iterator[tuple[int, str]]) -> list[str]:
    """Words in texts that have a plain one."""
    return [f"{line}: {match[0]}" for line, words in lines for match in WORDS.finditer(words)]


def test_names_in_source_files_are_standard() -> None:
    assert offenders(FILES, lambda file: refused_names(tree(file))) == {}


def test_prose_in_source_files_is_standard() -> None:
    # A file without any of the words need not be taken apart.
    suspects = {file for file in FILES if name_of(file) not in RENAMED and WORDS.search(text(file))}
    assert offenders(FILES, lambda file: file in suspects and refused_words(prose(text(file)))) == {}


def test_documents_are_written_in_plain_words() -> None:
    assert offenders(TEXTS, lambda file: name_of(file) not in RENAMED and refused_words(iter(enumerate(text(file).splitlines(), 1)))) == {}


def test_the_rules_see_what_they_forbid() -> None:
    code = "def told(): pass\nx.vouched = 1\nf(foreign=2)\nknown = 3\n"
    assert refused_names(ast.parse(code)) == ["1: told", "2: vouched", "3: foreign"]
    assert refused_words(prose('"""A law 8."""\n# mended\n"a foreign key"\n')) == ["1: law 8", "2: mended"]
