"""The audit after an erasure: every file of a home is searched, byte by byte, for what should be gone.

It looks as somebody would who has the disk and not the program: at the database with its free pages and its write-ahead log, at
indexes, heads, adapters, manifests, logs and reports, for each text as UTF-8, as JSON escapes it, as UTF-16 and as UTF-32.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.paths import AnyPath
from .artefacts import run_folder

SHORTEST_NEEDLE = 4
"""Bytes below which a text is not searched for: it would be found in every file."""
CHUNK = 1 << 21
"""Bytes read at once, at least: what fits in a processor's cache."""
WORD = 4
"""Bytes of the pieces by which forms are recognised."""
LONG = 2 * WORD - 1
"""Bytes from which on a form holds a whole aligned word, wherever it stands; shorter ones are sought by themselves."""
FEW = 3
"""Forms up to which each is sought by itself, which is as fast."""
SAMPLE = 1 << 18
"""Bytes of a file by which its rare words are known; a file of no more is searched at once."""
MANY = 1 << 16
"""Candidates in one part of a file from which on every form is sought there by itself: the words of some form stand everywhere."""
BITS = 18
"""Of the hash of a word."""


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
    r"""The bytes that a text may be on disk: UTF-8 and JSON, composed or decomposed; UTF-16 of either byte order; UTF-32.

    >>> sorted(encoded_forms("Zo"))
    [b'Z\x00\x00\x00o', b'Z\x00o', b'Zo']
    """
    forms: set[bytes] = set()
    for form in {text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)}:
        forms.add(form.encode("utf-8", "surrogatepass"))
        forms |= {json.dumps(form, ensure_ascii=ascii)[1:-1].encode("utf-8", "surrogatepass") for ascii in (True, False)}
        # Without the outer zero, which stands before or after by byte order, one form finds both.
        wide = form.encode("utf-16-le", "surrogatepass")
        forms.add(wide[:-1] if wide[-1:] == b"\0" else wide)
        # As numpy writes the names in its arrays, four bytes a letter.
        forms.add(form.encode("utf-32-le", "surrogatepass").rstrip(b"\0"))
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
    """Which of `forms` the file holds; every byte of it is read."""
    found: set[bytes] = set()
    with path.open("rb") as file:
        if path.stat().st_size <= SAMPLE:
            return _one_by_one(file.read(), forms)
        sample = _hashes(_words(file.read(SAMPLE)))
        counts = np.bincount(sample, minlength=1 << BITS)
        longest = max(map(len, forms))
        # Parts overlap by so much that no form is cut at the end of one.
        size, start = max(CHUNK, 4 * longest), 0
        short, anchors = _ways(forms, counts)
        while True:
            file.seek(start)
            content = file.read(size)
            new = (_one_by_one(content, short) | anchors.search(content)) - found
            if new:
                found |= new
                short, anchors = _ways(set(forms) - found, counts)
            if len(content) < size:
                return found
            start += size - longest + 1


def _ways(forms: Collection[bytes], counts: NDArray[np.int64]) -> tuple[Collection[bytes], _Anchors]:
    """Forms to be sought by themselves, and the others together."""
    if len(forms) <= FEW:
        return forms, _Anchors((), counts)
    return [form for form in forms if len(form) < LONG], _Anchors([form for form in forms if len(form) >= LONG], counts)


def _one_by_one(content: bytes, forms: Iterable[bytes]) -> set[bytes]:
    return {form for form in forms if form in content}


class _Anchors:
    """Forms of at least `LONG` bytes, sought together in one pass that looks at one aligned word of every few.

    Of the bytes of a form of n bytes, (n + 1) // 4 - 1 words apart, one sampled word lies wholly within it wherever it stands. So for
    each way in which a form can lie to the samples one of its words is kept, the rarest of those that are sampled then; where a sample
    is one of the words kept, the whole form is compared. The idea is that of Wu and Manber 1994, "A fast algorithm for multi-pattern
    searching".
    """

    def __init__(self, forms: Collection[bytes], counts: NDArray[np.int64]) -> None:
        self._forms = forms
        self._stride = (min(map(len, forms), default=LONG) + 1) // WORD - 1
        self._anchors = _anchors(forms, self._stride * WORD, counts)
        self._table = np.zeros(1 << BITS, dtype=np.bool_)
        self._sorted = np.array(sorted(self._anchors), dtype=np.uint32)
        self._table[_hashes(self._sorted)] = True

    def search(self, content: bytes) -> set[bytes]:
        """The forms that stand in the content."""
        if not self._forms:
            return set()
        words = _words(content)[:: self._stride]
        hits = np.flatnonzero(self._table[_hashes(words)])
        hits = hits[np.isin(words[hits], self._sorted)]
        if len(hits) > MANY:
            return _one_by_one(content, self._forms)
        found: set[bytes] = set()
        for place, word in zip((hits * (self._stride * WORD)).tolist(), words[hits].tolist(), strict=True):
            for form, offset in self._anchors[word]:
                if place >= offset and form not in found and content.startswith(form, place - offset):
                    found.add(form)
        return found


def _anchors(forms: Iterable[bytes], period: int, counts: NDArray[np.int64]) -> Mapping[int, list[tuple[bytes, int]]]:
    """For each word to be looked for, the forms that it stands for and where in them it lies; samples are `period` bytes apart."""
    anchors: dict[int, list[tuple[bytes, int]]] = {}
    for form in forms:
        words = np.array([int.from_bytes(form[at : at + WORD], "little") for at in range(len(form) - WORD + 1)], dtype=np.uint32)
        commonness = counts[_hashes(words)]
        for first in range(period):
            offset = first + period * int(commonness[first::period].argmin())
            anchors.setdefault(int(words[offset]), []).append((form, offset))
    return anchors


def _words(content: bytes) -> NDArray[np.uint32]:
    return np.frombuffer(content, dtype="<u4", count=len(content) // WORD)


def _hashes(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """By multiplication (Knuth 1998, "Sorting and Searching", section 6.4), in `BITS` bits."""
    hashes = words * np.uint32(2654435769)
    hashes >>= np.uint32(32 - BITS)
    return hashes
