"""`ClassNames`: classes as a caller names them, numbers or texts, as the numbers that are learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core import spelling
from ....numerics.arrays import Labels

AnyLabels = Labels | NDArray[np.str_] | Sequence[int] | Sequence[str]
"""One class a sample: whole numbers, or texts."""


class ClassNames:
    """Whole numbers stay what they are; texts are numbered from 0, those that come together in alphabetical order."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._spellings: dict[str, str] = {}

    def learn(self, labels: AnyLabels) -> Labels:
        """The classes' numbers; a text that is new gets the next one. Raises `ValueError` for labels of another kind than before.

        And for texts that differ in case or spaces alone, which would be two classes of the same samples.
        """
        given = np.asarray(labels)
        # An array of texts drops NULs at a text's end, so that two classes would become one without a word.
        if not isinstance(labels, np.ndarray) and any(isinstance(label, str) and label.endswith("\0") for label in labels):
            raise ValueError("a class's name must not end with a NUL character, which NumPy drops; leave it out")
        if (given.dtype.kind in "biu" and not self._numbers) or not given.size:
            return given.astype(np.int64)
        if given.dtype.kind not in "UO" or not all(isinstance(label, str) for label in given.flat):
            kept = "texts, as the classes before" if self._numbers else "whole numbers or texts, one a sample"
            raise ValueError(f"labels must be {kept}; got {given.dtype.name} such as {given.flat[0]!r}")
        texts = sorted({str(label) for label in given.flat})
        self._spellings = self._without_look_alikes(texts)
        for text in texts:
            self._numbers.setdefault(text, len(self._numbers))
        return np.array([self._numbers[label] for label in given.flat], dtype=np.int64).reshape(given.shape)

    def _without_look_alikes(self, texts: Sequence[str]) -> dict[str, str]:
        """The classes by their spelling, once these texts are among them."""
        spellings = dict(self._spellings)
        for text in texts:
            known = spellings.setdefault(spelling(text), text)
            if known != text:
                raise ValueError(f"the classes {known!r} and {text!r} differ in case or spaces alone; spell every class in one way")
        return spellings

    def find(self, labels: AnyLabels) -> Labels:
        """The numbers of classes that were learned. Raises `ValueError` for a text that was not, and as `learn` does."""
        unknown = sorted({str(label) for label in np.asarray(labels).flat if isinstance(label, str)} - set(self._numbers))
        if unknown:
            raise ValueError(f"classes {unknown} are not known; name classes that were learned")
        return self.learn(labels)

    def named(self, numbers: Labels) -> NDArray[Any]:
        """The classes as the caller names them."""
        return np.array(list(self._numbers))[numbers] if self._numbers else numbers
