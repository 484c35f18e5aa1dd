"""The audit after an erasure: every file of a home is searched, byte by byte, for what should be gone.

It looks as somebody would who has the disk and not the program: at the database with its free pages and its write-ahead log, at
indexes, heads, adapters, manifests, logs and reports, for each text as UTF-8, as JSON escapes it, and as UTF-16.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.paths import AnyPath
from .artefacts import run_folder

SHORTEST_NEEDLE = 4
"""Bytes below which a text is not searched for: it would be found in every file."""
CHUNK = 1 << 22
"""Bytes read at once."""
FEW = 12
"""Forms up to which each is sought by itself, which is faster."""
SAMPLE = 1 << 18
"""Bytes of a file by which its rare pairs of bytes are known."""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What was searched and what was found."""

    files: int
    """Files read."""
    bytes: int
    """Bytes read."""
    needles: int
    """Texts, ids and names that were searched for."""
    found: tuple[tuple[str, str], ...]
    """Each text found, and a file, relative to the home, in which it stands; sorted."""
    unread: tuple[str, ...] = ()
    """Files that could not be read, relative to the home."""


def audit(home: AnyPath, needles: Iterable[str]) -> Audit:
    """Search every file under `home`, and those beside it where it is the home of a run.

    Needles of fewer than `SHORTEST_NEEDLE` bytes are passed over.
    """
    home = Path(home)
    wanted = sorted({needle for needle in needles if len(needle.encode("utf-8", "surrogatepass")) >= SHORTEST_NEEDLE})
    forms = {form: needle for needle in wanted for form in encoded_forms(needle)}
    found: set[tuple[str, str]] = set()
    files = size = 0
    unread: list[str] = []
    for path in _files(home):
        name = os.path.relpath(path, home)
        try:
            hits = _search(path, forms) if forms else set[bytes]()
            size += path.stat().st_size
            files += 1
        except FileNotFoundError:
            continue
        except OSError:
            unread.append(name)
            continue
        found |= {(forms[hit], name) for hit in hits}
    return Audit(files=files, bytes=size, needles=len(wanted), found=tuple(sorted(found)), unread=tuple(sorted(unread)))


def encoded_forms(text: str) -> set[bytes]:
    r"""The bytes that a text may be on disk: UTF-8 and JSON, composed or decomposed; UTF-16 of either byte order.

    >>> sorted(encoded_forms("Zo"))
    [b'Z\x00o', b'Zo']
    """
    forms: set[bytes] = set()
    for form in {text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)}:
        forms.add(form.encode("utf-8", "surrogatepass"))
        forms |= {json.dumps(form, ensure_ascii=ascii)[1:-1].encode("utf-8", "surrogatepass") for ascii in (True, False)}
        # Without the outer zero, which stands before or after by byte order, one form finds both.
        wide = form.encode("utf-16-le", "surrogatepass")
        forms.add(wide[:-1] if wide[-1:] == b"\0" else wide)
        if max(map(ord, form)) > 0xFF:
            forms.add(form.encode("utf-16-be", "surrogatepass"))
    return forms


def _files(home: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(home):
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                yield path
    run = run_folder(home)
    yield from sorted(path for path in run.iterdir() if path.is_file() and not path.is_symlink()) if run else ()


def _search(path: Path, forms: Collection[bytes]) -> set[bytes]:
    """Which of `forms` the file holds. All are sought in one pass: by the rarest pair of bytes of each, then whole."""
    longest = max(map(len, forms))
    found: set[bytes] = set()
    with path.open("rb") as file:
        if path.stat().st_size <= SAMPLE:
            content = file.read()
            return {form for form in forms if form in content}
        wanted, pairs = _pairs(file.read(SAMPLE), forms)
        file.seek(0)
        tail = b""
        while block := file.read(CHUNK):
            content = tail + block
            if len(forms) <= FEW:
                found |= {form for form in forms if form in content}
                tail = content[-(longest + 2) :]
                continue
            for at in _positions(content, pairs):
                for form, offset in wanted[content[at : at + 2]]:
                    if form not in found and at >= offset and content.startswith(form, at - offset):
                        found.add(form)
            # Two more bytes than a form has, so that no form is cut by the end of a block.
            tail = content[-(longest + 2) :]
    return found


def _pairs(sample: bytes, forms: Iterable[bytes]) -> tuple[dict[bytes, list[tuple[bytes, int]]], NDArray[np.bool_]]:
    """For each pair of bytes that is looked at, the forms it is the rarest pair of, and where in them it stands; and a table of pairs."""
    counts = np.bincount(np.frombuffer(sample[: len(sample) // 2 * 2], dtype="<u2"), minlength=1 << 16)
    table = np.zeros(1 << 16, dtype=np.bool_)
    wanted: dict[bytes, list[tuple[bytes, int]]] = {}
    for form in forms:
        offset = min(range(len(form) - 1), key=lambda at: int(counts[int.from_bytes(form[at : at + 2], "little")]))
        pair = form[offset : offset + 2]
        wanted.setdefault(pair, []).append((form, offset))
        table[int.from_bytes(pair, "little")] = True
    return wanted, table


def _positions(content: bytes, pairs: NDArray[np.bool_]) -> list[int]:
    """Where a looked-for pair of bytes stands in the content."""
    found: list[int] = []
    for start in (0, 1):
        words = np.frombuffer(content, dtype="<u2", offset=start, count=(len(content) - start) // 2)
        found += (2 * np.flatnonzero(pairs[words]) + start).tolist()
    return found
