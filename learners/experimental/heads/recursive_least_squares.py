"""`RecursiveLeastSquaresHead`: ridge regression sample by sample, and what its regret and its forgetting can be at most.

With targets `y_k = theta' x_k + w_k`, `P_k^-1 = r I + sum_{j<=k} x_j x_j'`, `a_k = 1 / (1 + x_k' P_{k-1} x_k)`, `t_k = theta - theta_k` and
`e_k = t_{k-1}' x_k` (what the prediction misses besides the noise), the recursion obeys exactly, whatever the inputs are:

    t_n' P_n^-1 t_n + sum a_k e_k^2  =  r |theta|^2 - 2 sum a_k e_k w_k + sum (1 - a_k) w_k^2        (Lai and Wei 1982, lemma 1)

The last sum is at most `max w^2 log det(P_n^-1 / r)`, as `1 - a_k = 1 - det P_k / det P_{k-1}`, and no more than that logarithm's growth.
With noise of mean zero given the past and `|w_k| <= b`, the middle one is a martingale, and Ville's inequality gives, with probability
`1 - delta` and for all n at once, `-2 sum a_k e_k w_k <= 4 b^2 log(1/delta) + sum a_k e_k^2 / 2`. So neither independent inputs nor inputs
that excite every direction are needed. `regret_bound` and `forgetting_bound` are what follows, with these constants.

Zhu et al. 2025, "Global Convergence of Continual Learning on Non-IID Data", https://arxiv.org/abs/2503.18511, prove rates of this kind
for almost every run, without
constants; their theorem was not at hand here, and the statement above is the classical one, proved in the lines above.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Arrays, Floats, Labels, Vector, validate_rows
from ...heads.head import HeadLogits, predicted

CHUNK = 64
"""Samples taken in at once: of a rank that pays for the matrix products, and far below the usual number of dimensions."""
WHOLE = 1e-10
"""Share of a direction's weight that must be left after a downdate; below it the samples were not those learned."""


def updated(inverse: Floats, weights: Floats, rows: Floats, targets: Floats, sign: float = 1.0) -> tuple[Floats, Floats]:
    """`(G + s X'X)^-1` and the ridge weights `(d, k)` with samples `(n, d)` and targets `(n, k)` added (`s` = 1) or taken back (-1).

    `inverse` is `G^-1` `(d, d)`, and `weights` solve `G W = Q` (Sherman, Morrison and Woodbury 1950). Raises `ValueError` where samples are
    to be taken back that cannot have been added.
    """
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    carried = inverse @ rows.T
    try:
        middle = np.eye(len(rows)) + sign * (rows @ carried)
        factor = cho_factor(middle, check_finite=False)
        # The squared diagonal of the factor is what is left of each direction's weight after the downdate.
        if sign < 0 and np.diag(factor[0]).min() ** 2 < WHOLE:
            raise LinAlgError
    except LinAlgError as error:
        raise ValueError("these samples were never learned; forget only what was learned") from error
    gain = cho_solve(factor, carried.T, check_finite=False).T
    left = inverse - sign * gain @ carried.T
    # Rounding makes `left` unsymmetric, a little more with every update, and the next updates suppose that it is not.
    return (left + left.T) / 2, weights + sign * gain @ (targets - rows @ weights)


def log_determinant(inverse: Floats, regularisation: float) -> float:
    """`log det(P^-1 / r)` of `P` `(d, d)`, in nats: 0 before the first sample, then growing with the logarithm of what was seen."""
    _, logarithm = np.linalg.slogdet(inverse)
    # log det(P^-1 / r) = -log det P - d log r.
    return float(-logarithm - len(inverse) * np.log(regularisation))


def lyapunov_bound(logdet: float, *, regularisation: float, length: float, noise: float, delta: float) -> float:
    """Most that `t_n' P_n^-1 t_n + sum a_k e_k^2 / 2` can be: `r |theta|^2 + b^2 (4 log(1/delta) + logdet)`.

    `length` is `|theta|`, `noise` the bound `b`, and the chance that it fails for some n is at most `delta`. Raises `ValueError` for a
    `delta` outside (0, 1).
    """
    if not 0 < delta < 1:
        raise ValueError(f"delta is {delta}; a chance between 0 and 1 is needed")
    return float(regularisation * length**2 + noise**2 * (4 * np.log(1 / delta) + logdet))


def regret_bound(logdet: float, *, regularisation: float, length: float, noise: float, delta: float, longest: float = 1.0) -> float:
    """Most that `sum e_k^2` can be, for inputs of length at most `longest`: they make `1 / a_k` at most `1 + longest^2 / r`."""
    most = lyapunov_bound(logdet, regularisation=regularisation, length=length, noise=noise, delta=delta)
    return 2 * (1 + longest**2 / regularisation) * most


def forgetting_bound(logdet: float, samples: int, *, regularisation: float, length: float, noise: float, delta: float) -> float:
    """Most that the mean of `(t_n' x_k)^2` over the n samples learned can be: they are a part of `t_n' P_n^-1 t_n`."""
    return lyapunov_bound(logdet, regularisation=regularisation, length=length, noise=noise, delta=delta) / samples


class RecursiveLeastSquaresHead:
    """Ridge regression to one-hot labels in recursive form: equal to `RidgeHead`, and ready to answer after every sample.

    A sample costs `d^2 + d classes` operations and no solving. What is kept is the inverse `P` and the weights; both are exact updates in
    float64, and taking samples back is the same update with the other sign.
    """

    def __init__(self, *, regularisation: float = 1.0) -> None:
        if regularisation <= 0:
            raise ValueError(f"regularisation is {regularisation}; it must be above 0")
        self.regularisation = regularisation
        self._labels: Labels = np.zeros(0, dtype=np.int64)
        self._counts: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._inverse: Floats = np.zeros((0, 0))
        self._weights: Floats = np.zeros((0, 0))

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending."""
        return self._labels.copy()

    @property
    def inverse(self) -> Floats:
        """`P` `(d, d)`, a copy; `(0, 0)` before the first sample."""
        return self._inverse.copy()

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Add samples of classes old or new, one after another or all at once, with the same result."""
        rows, labels = self._checked(vectors, labels)
        if not len(rows):
            return
        if not len(self._inverse):
            self._inverse, self._weights = np.eye(rows.shape[1]) / self.regularisation, np.zeros((rows.shape[1], 0))
        known = np.union1d(self._labels, labels)
        # The targets of a new class were zero so far, and so are its weights.
        self._arrange(known)
        self._take(rows, labels, 1)

    def unlearn(self, vectors: Vector, labels: Labels) -> None:
        """Take samples back as if they had never been there, up to float64 rounding.

        Raises `ValueError` where a class has fewer samples than are to be taken, and where these cannot have been learned.
        """
        if not len(self._labels):
            raise ValueError(f"{type(self).__name__} has learned nothing yet; there is nothing to take back")
        rows, labels = self._checked(vectors, labels)
        numbers, counts = np.unique(labels, return_counts=True)
        held = dict(zip(self._labels.tolist(), self._counts.tolist(), strict=True))
        short = [int(number) for number, count in zip(numbers, counts, strict=True) if held.get(int(number), 0) < count]
        if short:
            raise ValueError(f"classes {short} have fewer samples than are to be forgotten; forget only what was learned")
        if len(rows):
            self._take(rows, labels, -1)
            self._arrange(self._labels[self._counts > 0])
        if not len(self._labels):
            self._inverse, self._weights = np.zeros((0, 0)), np.zeros((0, 0))

    def logits(self, vectors: Vector) -> HeadLogits:
        """Scores `(n, classes)`, larger is likelier."""
        if not len(self._labels):
            raise ValueError(f"{type(self).__name__} knows no class yet; call `learn` first")
        return np.asarray(validate_rows("vectors", vectors, len(self._inverse)).astype(np.float64) @ self._weights)

    def predict(self, vectors: Vector) -> Labels:
        """The likeliest class number `(n,)`."""
        return predicted(self._labels, self.logits(vectors))

    def state(self) -> dict[str, NDArray[Any]]:
        """Class numbers, samples of each, `P` and the weights."""
        plain = {"labels": self._labels, "counts": self._counts, "inverse": self._inverse, "weights": self._weights}
        return {name: array.copy() for name, array in plain.items()}

    def restore(self, state: Arrays) -> None:
        """Restore what `state` returned."""
        self._labels, self._counts = (np.array(state[name], dtype=np.int64) for name in ("labels", "counts"))
        self._inverse, self._weights = (np.array(state[name], dtype=np.float64) for name in ("inverse", "weights"))

    def _checked(self, vectors: Vector, labels: Labels) -> tuple[Floats, Labels]:
        rows = validate_rows("vectors", vectors, len(self._inverse) or None).astype(np.float64)
        labels = np.asarray(labels, dtype=np.int64)
        if labels.shape != (len(rows),):
            raise ValueError(f"{len(rows)} vectors and labels of the shape {labels.shape}; one label a vector is needed")
        return rows, labels

    def _arrange(self, known: Labels) -> None:
        """Give every class of `known` a column, and no other class one."""
        weights, counts = np.zeros((len(self._inverse), len(known))), np.zeros(len(known), dtype=np.int64)
        kept, old = np.intersect1d(known, self._labels, return_indices=True)[::2]
        new = np.searchsorted(known, kept)
        weights[:, new], counts[new] = self._weights[:, old], self._counts[old]
        self._labels, self._counts, self._weights = known, counts, weights

    def _take(self, rows: Floats, labels: Labels, sign: int) -> None:
        places = np.searchsorted(self._labels, labels)
        inverse, weights, counts = self._inverse, self._weights, self._counts.copy()
        for start in range(0, len(rows), CHUNK):
            some = slice(start, start + CHUNK)
            inverse, weights = updated(inverse, weights, rows[some], np.eye(len(counts))[places[some]], sign)
        np.add.at(counts, places, sign)
        self._inverse, self._weights, self._counts = inverse, weights, counts
