"""The protocol of the recognisers that learn class after class: `Head`; and how their state is kept in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ...core.paths import AnyPath, draft_path
from ...numerics.arrays import Arrays, Labels, Vector

HeadLogits = NDArray[np.float64]


@runtime_checkable
class Head(Protocol):
    """Tells the class of a vector, and learns classes one after another without the samples of the earlier ones.

    A member without `unlearn` cannot take samples back; one with it (`UnlearningHead`) promises to do so exactly. The rules are
    in `lifelong.checks.head`.
    """

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending: the order of the columns of `logits`."""

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Add samples `(n, d)` of classes old or new. Raises `ValueError` for NaN or infinite values and shapes that do not fit."""

    def logits(self, vectors: Vector) -> HeadLogits:
        """Scores `(n, classes)` in float64, larger is likelier. Raises `ValueError` before the first sample was learned."""

    def predict(self, vectors: Vector) -> Labels:
        """The likeliest class number `(n,)`; never one that was not learned. Raises as `logits` does."""

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned, as plain arrays."""

    def restore(self, state: Arrays) -> None:
        """Restore what `state` of a head of the same settings returned."""


@runtime_checkable
class UnlearningHead(Head, Protocol):
    """A head that takes samples back: what is left equals a head that never saw them, up to float64 rounding."""

    def unlearn(self, vectors: Vector, labels: Labels) -> None:
        """Take samples back; a class whose last sample goes is gone.

        Raises `ValueError` where a class has fewer samples than are to be taken; nothing has changed then. Whether just these
        samples were learned cannot be seen: nobody keeps them.
        """


class Kept(Protocol):
    """Whatever can be written as arrays and read again."""

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is to be kept, as plain arrays."""

    def restore(self, state: Arrays) -> None:
        """Restore what `state` returned."""


def predicted(labels: Labels, logits: HeadLogits) -> Labels:
    """The class number of the largest logit of each row."""
    return np.asarray(labels[logits.argmax(1)])


def save_head(head: Kept, file: AnyPath) -> None:
    """Write the state of a head into an npz file that appears whole or not at all."""
    file = Path(file)
    draft = draft_path(file)
    with draft.open("wb") as out:
        np.savez(out, **{"head": np.array(type(head).__name__), **head.state()})  # type: ignore[arg-type]  # a name of an array, not a flag
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)


def load_head(head: Kept, file: AnyPath) -> None:
    """Give a head of the same settings what `save_head` wrote. Raises `ValueError` where the file is of another kind of head."""
    with np.load(file, allow_pickle=False) as arrays:
        kind = str(arrays["head"])
        if kind != type(head).__name__:
            raise ValueError(f"{file} holds a {kind}, not a {type(head).__name__}; load it into a {kind}")
        head.restore({name: arrays[name] for name in arrays.files if name != "head"})
