"""Anybody's labelled texts, one JSON object a line, as a data set: read, checked and split."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core import DataMalformed, DataMissing, spelling
from .texts import TextData, Texts, encoded, two_views

EACH = 5
"""Texts that a class needs, so that each split gets one at least: a class with fewer is left out."""
FRACTIONS = (0.6, 0.2)
"""Of each class's texts, to learn from and to validate with; the rest are tested."""
CASE = "own texts"


@dataclass(frozen=True, kw_only=True)
class OwnTexts:
    """What a file holds, fit for measuring."""

    texts: tuple[str, ...]
    """Texts of classes, each once."""
    labels: tuple[str, ...]
    """Their labels."""
    unlabelled: tuple[str, ...]
    """Texts without a label: they are of no class, and are measured as unknown."""
    notes: tuple[str, ...]
    """What was left out, and why."""


def read_own_texts(file: Path) -> OwnTexts:
    """The texts of a file with `{"text": ..., "label": ...}` on each line; no label, or null, says that a text is of no class.

    Texts that come twice count once; texts under several labels, empty ones, and classes of fewer than `EACH` texts are left out,
    with a note. Raises `DataMissing` for no file, and `DataMalformed` for a line that is no such object, for labels that differ in
    case or spaces alone, and where fewer than two classes are left.
    """
    if not file.is_file():
        raise DataMissing(f'there is no file {file}; name one with {{"text": ..., "label": ...}} on each line')
    pairs = [_pair(file, number, line) for number, line in enumerate(_lines(file), 1) if line.strip()]
    pairs, notes = _without_empty(pairs)
    _refuse_look_alikes(file, {label for _, label in pairs if label})
    found: defaultdict[str, set[str]] = defaultdict(set)
    for text, label in pairs:
        found[text].add(label)
    several = sum(len(labels) > 1 for labels in found.values())
    once = {text: next(iter(labels)) for text, labels in found.items() if len(labels) == 1}
    sizes = Counter(label for label in once.values() if label)
    small = sorted(label for label, size in sizes.items() if size < EACH)
    known = {text: label for text, label in once.items() if label and sizes[label] >= EACH}
    if len(set(known.values())) < 2:
        raise DataMalformed(_too_few(file, pairs, sizes))
    notes += [f"{len(pairs) - len(found)} texts came more than once and count once"] * (len(pairs) > len(found))
    notes += [f"{several} texts stand under several labels and are left out"] * bool(several)
    notes += [f"{len(small)} classes of fewer than {EACH} texts are left out: {_some(small)}"] * bool(small)
    return OwnTexts(
        texts=tuple(known),
        labels=tuple(known.values()),
        unlabelled=tuple(text for text, label in once.items() if not label),
        notes=tuple(notes),
    )


def split_own_texts(own: OwnTexts, seed: int) -> TextData:
    """Official-looking splits of them, drawn by the seed class by class; texts of no class are halved into validation and test."""
    draw = np.random.default_rng(seed)
    names = tuple(sorted(set(own.labels)))
    numbers = {name: number for number, name in enumerate(names)}
    labels = np.array([numbers[label] for label in own.labels], dtype=np.int64)
    whole = Texts(texts=own.texts, labels=labels, vectors=encoded(own.texts))
    two_views(whole)  # encoded once, whatever the split
    part = np.full(len(whole), 2)
    for label in range(len(names)):
        places = draw.permutation(np.flatnonzero(labels == label))
        first, second = (max(1, round(share * len(places))) for share in FRACTIONS)
        part[places[:first]], part[places[first : first + second]] = 0, 1
    outside = _of_no_class(own.unlabelled, whole)
    half = np.isin(np.arange(len(outside)), draw.permutation(len(outside))[: len(outside) // 2])
    nothing = outside.subset(np.zeros(len(outside), dtype=bool))
    train, validation, test = (whole.subset(part == number) for number in range(3))
    return TextData(
        names=names,
        train=train,
        validation=validation,
        test=test,
        outliers_train=nothing,
        outliers_validation=outside.subset(half),
        outliers_test=outside.subset(~half),
        sentences=nothing,
    )


def _of_no_class(texts: Sequence[str], like: Texts) -> Texts:
    vectors = encoded(texts) if texts else like.vectors[:0]
    return Texts(texts=tuple(texts), labels=np.full(len(texts), -1, dtype=np.int64), vectors=vectors)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise DataMalformed(f"{file} is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from error


def _pair(file: Path, number: int, line: str) -> tuple[str, str]:
    """Text and label of a line; the label is empty where there is none."""
    shape = 'write {"text": "...", "label": "..."} on each line'
    try:
        plain = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataMalformed(f"line {number} of {file} is not JSON; {shape}") from error
    if not isinstance(plain, Mapping) or not isinstance(plain.get("text"), str):
        raise DataMalformed(f"line {number} of {file} has no text; {shape}")
    label = plain.get("label")
    if label is not None and (isinstance(label, bool) or not isinstance(label, str | int)):
        raise DataMalformed(f"the label on line {number} of {file} is {label!r:.60}; a label is a text or a whole number")
    return plain["text"], "" if label is None else str(label)


def _without_empty(pairs: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    kept = [(text, label) for text, label in pairs if text.strip()]
    return kept, [f"{len(pairs) - len(kept)} empty texts are left out"] * (len(kept) < len(pairs))


def _refuse_look_alikes(file: Path, labels: set[str]) -> None:
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for label in sorted(labels):
        spellings[spelling(label)].append(label)
    alike = [names for names in spellings.values() if len(names) > 1]
    if alike:
        shown = "; ".join(", ".join(repr(name) for name in names) for names in alike[:3])
        raise DataMalformed(f"{file} has labels that differ in case or spaces alone: {shown}; spell every class in one way")


def _too_few(file: Path, pairs: Sequence[tuple[str, str]], sizes: Counter[str]) -> str:
    if not any(label for _, label in pairs):
        return f"no line of {file} has a label; give at least {EACH} different texts to each of two classes"
    enough = sum(size >= EACH for size in sizes.values())
    return f"{file} has {enough} classes of at least {EACH} different texts, of {len(sizes)} in all; two are needed"


def _some(names: Sequence[str]) -> str:
    return ", ".join(name[:40] for name in names[:5]) + (", ..." if len(names) > 5 else "")
