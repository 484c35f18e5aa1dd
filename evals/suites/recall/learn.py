"""How the shipped weights are learned: `python -m lifelong.evals.suites.recall.learn` writes them, from the project's own texts alone."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from ....memory.recall.fusion import FILE, Weights, evidence
from ....numerics.arrays import Floats, Vector
from ....perception import Encoder, MiniLMEncoder
from ....serving import locate
from ...data.dialogues import UNANSWERABLE, Asked, Dialogue, joined, own_dialogues, unrelated_requests
from ...data.texts import ENCODER
from .asked import Case, cases, recall_at

PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1)
"""Of the squared weights, in standard deviations of the signals; the best in leave-one-dialogue-out is taken."""
LOOKED_AT = 10
"""Candidates of a question that the probability learns from, the best by score."""


def fit_signals(found: Sequence[Case], penalty: float) -> Floats:
    """Weights `(s,)` that minimise the listwise loss: cross-entropy of the evidence under a softmax over a question's candidates.

    ListNet's top-one loss (Cao et al. 2007, https://doi.org/10.1145/1273496.1273513, eq. 6), convex in the weights; the same start
    and the same texts give the same weights.
    """
    from scipy.optimize import minimize

    used = [case for case in found if case.needed.any()]
    spread = np.concatenate([case.values for case in used]).std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    values = [case.values / scale for case in used]
    wanted = [case.needed / case.needed.sum() for case in used]

    def loss(weights: Floats) -> tuple[float, Floats]:
        total, gradient = penalty * float(weights @ weights), 2 * penalty * weights
        for rows, target in zip(values, wanted, strict=True):
            scores = rows @ weights
            top = scores.max()
            chances = np.exp(scores - top)
            chances /= chances.sum()
            total -= float(target @ (scores - top - np.log(np.exp(scores - top).sum()))) / len(values)
            gradient = gradient + rows.T @ (chances - target) / len(values)
        return total, gradient

    best = minimize(loss, np.zeros(values[0].shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return np.asarray(best.x / scale)


def fit_probability(found: Sequence[Case], weights: Floats) -> tuple[Floats, float]:
    """Weights of the evidence and the offset of a logistic regression of whether a candidate is needed."""
    from scipy.optimize import minimize

    rows, labels = [], []
    plain = Weights(signals=weights, evidence=np.zeros(0), offset=0.0)
    for case in found:
        scores = plain.score(case.values)
        best = np.argsort(-scores, kind="stable")[:LOOKED_AT]
        rows.append(evidence(case.candidates, case.values, scores)[best])
        labels.append(case.needed[best])
    matrix, needed = np.concatenate(rows), np.concatenate(labels)
    mean, scale = matrix.mean(axis=0), matrix.std(axis=0) + 1e-9
    design = np.column_stack([(matrix - mean) / scale, np.ones(len(matrix))])

    def loss(parameters: Floats) -> tuple[float, Floats]:
        logit = design @ parameters
        chance = 1 / (1 + np.exp(-logit))
        penalty = np.append(parameters[:-1], 0.0)
        value = float(np.mean(np.logaddexp(0, logit) - needed * logit)) + 0.5e-2 * float(penalty @ penalty)
        return value, design.T @ (chance - needed) / len(needed) + 1e-2 * penalty

    fitted = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    slopes = fitted[:-1] / scale
    return slopes, float(fitted[-1] - slopes @ mean)


class Remembering:
    """An encoder that reads each text once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vector] = {}

    @property
    def dimensions(self) -> int:
        """As the encoder's."""
        return self._encoder.dimensions

    def encode(self, texts: Sequence[str]) -> Vector:
        """Unit rows `(n, d)`."""
        if new := [text for text in dict.fromkeys(texts) if text not in self._known]:
            self._known |= dict(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else self._encoder.encode([])


def streams(dialogues: Sequence[Dialogue], encoder: Encoder) -> list[list[Case]]:
    """Of each dialogue its questions, asked of it alone and of all dialogues together: among few turns and among many."""
    alone = [cases(one, encoder) for one in dialogues]
    together = iter(cases(joined(dialogues), encoder))
    return [[*mine, *(next(together) for _ in one.questions)] for one, mine in zip(dialogues, alone, strict=True)]


def choose_penalty(asked: Sequence[Sequence[Case]]) -> tuple[float, dict[float, float]]:
    """The penalty whose weights find the most of a dialogue that they did not learn from, and the share found of each."""
    shares: dict[float, list[float]] = {penalty: [] for penalty in PENALTIES}
    for place, mine in enumerate(asked):
        others = [case for other, found in enumerate(asked) if other != place for case in found]
        # Sought among what all dialogues said, as in a long record.
        among_many = mine[len(mine) // 2 :]
        for penalty in PENALTIES:
            weights = fit_signals(others, penalty)
            orders = ([case.turns[row] for row in np.argsort(-(case.values @ weights), kind="stable")] for case in among_many)
            shares[penalty] += [recall_at(order, case.asked, 5) for order, case in zip(orders, among_many, strict=True)]
    found = {penalty: float(np.mean(share)) for penalty, share in shares.items()}
    return max(found, key=lambda penalty: (found[penalty], penalty)), found


def needless(encoder: Encoder) -> list[Case]:
    """Questions that need nothing of what was said: requests of every kind, and questions about another dialogue's people."""
    own, requests = own_dialogues(), unrelated_requests()
    found: list[Case] = []
    for place, heard in enumerate(own):
        others = [asked.text for other, one in enumerate(own) if other != place for asked in one.questions[place :: len(own)]]
        nothing = tuple(Asked(text=text, evidence=frozenset(), category=UNANSWERABLE) for text in [*requests, *others])
        found += cases(Dialogue(name="needless", turns=heard.turns, questions=nothing), encoder)
    nothing = tuple(Asked(text=text, evidence=frozenset(), category=UNANSWERABLE) for text in requests)
    return found + cases(Dialogue(name="needless", turns=joined(own).turns, questions=nothing), encoder)


def learn(encoder: Encoder) -> Weights:
    """The weights that are shipped."""
    encoder = Remembering(encoder)
    asked = streams(own_dialogues(), encoder)
    penalty, found = choose_penalty(asked)
    print("share of evidence among the first five, by penalty:", {one: round(share, 4) for one, share in found.items()})
    learned_from = [case for mine in asked for case in mine]
    weights = fit_signals(learned_from, penalty)
    slopes, offset = fit_probability([*learned_from, *needless(encoder)], weights)
    return Weights(signals=weights, evidence=slopes, offset=offset)


if __name__ == "__main__":
    FILE.write_text(json.dumps(learn(MiniLMEncoder(locate(ENCODER))).to_json(), indent=1) + "\n", encoding="utf-8")
    print(f"written to {FILE}")
