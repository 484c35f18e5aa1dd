"""`SkillHead`: which of the named skills a task belongs to, in closed form while awake and by a refit after a sleep.

Hayes and Kanan 2020, "Lifelong Machine Learning with Deep Streaming Linear Discriminant Analysis", https://arxiv.org/abs/1909.01520,
equation 2; the refit, and that it answers only where it errs less, are this project's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Arrays, Vector
from .ensemble import Ensemble
from .head import HeadLogits
from .streaming_lda import StreamingLDAHead

LEAST = 8
"""Tasks from which on a skill takes part in a refit; until then the closed form knows it alone."""
HIDDEN = 256
"""Units of the refit's perceptron: a linear network and this one cost a fifth of the cue head's and name as well."""
HELD_OUT = 5
"""One task in so many is kept from the first fit, to see whether the refit is the better one."""


@dataclass(frozen=True, kw_only=True)
class Refit:
    """What a refit came to, on tasks that neither head had seen."""

    tasks: int
    """How many were held out."""
    closed_form_errors: int
    """Of these, misnamed by the closed form."""
    refit_errors: int | None
    """Of these, misnamed by the refit; None where the closed form misnamed none and nothing was fitted."""

    @property
    def kept(self) -> bool:
        """Whether the refit answers from now on."""
        return self.refit_errors is not None and self.refit_errors < self.closed_form_errors


class SkillHead:
    """Names the skill of a vector, and learns and unlearns tasks one by one.

    *Awake*, every task is learned at once by linear discriminant analysis with an oracle-approximating covariance, and is unlearned
    exactly. *Asleep*, `refit` fits networks on all tasks that it is given; they answer only where they err less than the closed form
    on tasks held out from both. A skill that has come since is named by the closed form; among the others the refit decides.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed
        self._closed_form = StreamingLDAHead(shrinkage=None)
        self._names: dict[str, int] = {}
        self._refit: Ensemble | None = None
        self._refitted: tuple[str, ...] = ()

    @property
    def skills(self) -> tuple[str, ...]:
        """The skills known, in the order of the columns of `scores`."""
        names = {number: name for name, number in self._names.items()}
        return tuple(names[int(label)] for label in self._closed_form.labels)

    @property
    def refitted(self) -> tuple[str, ...]:
        """The skills among which a refit decides, sorted; none before the first."""
        return self._refitted

    def learn(self, vectors: Vector, skills: Sequence[str]) -> None:
        """Add tasks `(n, d)` of named skills, old or new. Raises `ValueError` for an empty name, NaN and shapes that do not fit."""
        if not all(skills):
            raise ValueError("a task is learned under a named skill; an unnamed one waits in the novelty buffer")
        if len(skills):
            self._closed_form.learn(vectors, self._numbers(skills))

    def unlearn(self, vectors: Vector, skills: Sequence[str]) -> None:
        """Take tasks back exactly, up to float64 rounding; a refit that may have seen them is dropped.

        Raises `ValueError` for a skill that is not known or has fewer tasks than are to be taken; nothing has changed then.
        """
        if unknown := sorted(set(skills) - set(self.skills)):
            raise ValueError(f"skills {unknown} are not known; forget only what was learned")
        if len(skills):
            self._closed_form.unlearn(vectors, self._numbers(skills))
            self.drop_refit()
            self._names = {name: self._names[name] for name in self.skills}

    def refit(self, vectors: Vector, skills: Sequence[str], recalled: int = 0) -> Refit:
        """Sleep: fit networks on tasks `(n, d)`, and keep them if they are better than the closed form on the same tasks.

        Skills with fewer than `LEAST` tasks are left out; with fewer than two others there is nothing to decide among.
        The first `recalled` tasks come from cues, which are rounded towards what their class is like and so flatter the closed form:
        what decides are the others, unless there are none.
        """
        counts = Counter(skills)
        names = sorted(name for name, count in counts.items() if count >= LEAST)
        # The old refit goes first: whatever happens below, it may know tasks that are gone.
        self._refit, self._refitted = None, ()
        rows = np.array([place for place, name in enumerate(skills) if name in names], dtype=np.int64)
        if len(names) < 2:
            return Refit(tasks=0, closed_form_errors=0, refit_errors=None)
        inputs, targets = vectors[rows], np.array([names.index(skills[row]) for row in rows], dtype=np.int64)
        held = _held_out(targets, rows < recalled, self.seed)
        closed = StreamingLDAHead(shrinkage=None)
        closed.learn(inputs[~held], targets[~held])
        closed_errors = int((closed.predict(inputs[held]) != targets[held]).sum())
        # Without an error there is nothing to gain, and a network costs more to ask.
        if not closed_errors:
            return Refit(tasks=int(held.sum()), closed_form_errors=0, refit_errors=None)
        # The decision is made by a network that has not seen the held-out tasks; the one that serves is fitted on all of them.
        candidate = _fit(inputs[~held], targets[~held], len(names), self.seed)
        errors = int((candidate.logits(inputs[held]).argmax(1) != targets[held]).sum())
        found = Refit(tasks=int(held.sum()), closed_form_errors=closed_errors, refit_errors=errors)
        if found.kept:
            self._refit, self._refitted = _fit(inputs, targets, len(names), self.seed), tuple(names)
        return found

    def scores(self, vectors: Vector) -> HeadLogits:
        """The closed form's scores `(n, skills)`. Raises `ValueError` before the first task."""
        return self._closed_form.logits(vectors)

    def name(self, vector: Vector) -> tuple[str, float]:
        """The skill of a vector `(d,)`, and the chance that whichever head named it gives it among the skills it knows."""
        logits, names = self.scores(vector[None, :])[0], self.skills
        chosen = names[int(logits.argmax())]
        # A skill that came after the refit is unknown to it: where the closed form names such a skill, the refit is not asked.
        if self._refit is not None and chosen in self._refitted:
            logits, names = self._refit.logits(vector[None, :])[0], self._refitted
        # Softmax, shifted by the maximum so that no exponential overflows.
        chances = np.exp(logits - logits.max())
        return names[int(logits.argmax())], float(chances.max() / chances.sum())

    def state(self) -> dict[str, NDArray[Any]]:
        """The refit alone: the closed form is made again from the tasks."""
        return {"refitted": np.array(self._refitted, dtype=np.str_), **(self._refit.state() if self._refit else {})}

    def restore(self, state: Arrays) -> None:
        """Restore the refit that `state` returned. Raises `ValueError` where it knows a skill that this head does not."""
        names = tuple(str(name) for name in state["refitted"])
        if unknown := sorted(set(names) - set(self.skills)):
            raise ValueError(f"the refit names skills {unknown} that nothing is known of; sleep again")
        self._refitted, self._refit = names, Ensemble.of(state) if names else None

    def statistics(self) -> dict[str, NDArray[Any]]:
        """The closed form alone, as plain arrays: it can be taken up again without the tasks it was learned from."""
        names = {number: name for name, number in self._names.items()}
        return {"skills": np.array([names[int(label)] for label in self._closed_form.labels], dtype=np.str_), **self._closed_form.state()}

    def restore_statistics(self, state: Arrays) -> None:
        """Take over the closed form that `statistics` returned, and no refit."""
        self.drop_refit()
        self._closed_form = StreamingLDAHead(shrinkage=None)
        self._closed_form.restore({name: array for name, array in state.items() if name != "skills"})
        self._names = {str(name): int(label) for name, label in zip(state["skills"], self._closed_form.labels, strict=True)}

    def drop_refit(self) -> None:
        """Answer by the closed form alone from now on."""
        self._refit, self._refitted = None, ()

    def _numbers(self, skills: Sequence[str]) -> NDArray[np.int64]:
        for skill in skills:
            self._names.setdefault(skill, max(self._names.values(), default=-1) + 1)
        return np.array([self._names[skill] for skill in skills], dtype=np.int64)


def _fit(rows: Vector, targets: NDArray[np.int64], classes: int, seed: int) -> Ensemble:
    return Ensemble.fit(rows, targets, classes, hidden=HIDDEN, perceptrons=1, seed=seed)


def _held_out(targets: NDArray[np.int64], recalled: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """A fifth of every class and one sample at least, as far as not all of it is recalled; where everything is, of that."""
    draw = np.random.default_rng(seed)
    held = np.zeros(len(targets), dtype=bool)
    for label in np.unique(targets):
        places = np.flatnonzero((targets == label) & (~recalled | recalled.all()))
        size = min(len(places), max(1, int((targets == label).sum()) // HELD_OUT))
        held[draw.choice(places, size=size, replace=False)] = True
    return held
