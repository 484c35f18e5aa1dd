"""How the shipped weights are learned: `python -m lifelong.evals.suites.recall.learn` writes them, from the project's own texts alone."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from ....memory.recall.fusion import FILE, Weights, evidence
from ....memory.recall.signals import SIGNALS
from ....numerics.arrays import Floats
from ....perception import Encoder, MiniLMEncoder
from ....serving import locate
from ...data.dialogues import (
    UNANSWERABLE,
    Asked,
    Dialogue,
    beginning,
    joined,
    own_dialogues,
    unrelated_requests,
)
from ...data.texts import ENCODER
from .asked import Case, Remembering, cases, recall_at

PENALTIES = (0.003, 0.01, 0.03, 0.1)
"""Of the squared weights, in standard deviations of the signals; the best in leave-one-dialogue-out is taken."""
AGAINST = ("asks",)
"""Signals that speak against a turn: who asks does not tell."""
OWN_FIRST = {"bm25": ("bm25_before", "bm25_after"), "similarity_standard": ("similarity_before", "similarity_after")}
"""Signals of a turn itself that weigh at least as much as those of its neighbours together: what stands beside the right turn is never
preferred to it for that alone."""
BEGINNING = 1
"""Sessions of a dialogue that has only begun."""
LOOKED_AT = 10
"""Candidates of a question that the probability learns from, the best by score."""


def fit_signals(found: Sequence[Case], penalty: float) -> Floats:
    """Weights `(s,)` that minimise the listwise loss: cross-entropy of the evidence under a softmax over a question's candidates.

    ListNet's top-one loss (Cao et al. 2007, https://doi.org/10.1145/1273496.1273513, eq. 6), convex in the weights; the same start
    and the same texts give the same weights.
    """
    from scipy.optimize import minimize

    used = [case for case in found if case.needed.any()]
    rows = np.concatenate([case.values for case in used])
    spread = (rows @ _own_first()).std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    rows = rows @ _own_first() / scale
    sizes = np.array([len(case.turns) for case in used])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    target = np.concatenate([case.needed / case.needed.sum() for case in used])

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = rows @ weights
        # The largest of each question is taken off, so that no exponential overflows.
        scores = scores - np.repeat(np.maximum.reduceat(scores, starts), sizes)
        totals = np.add.reduceat(np.exp(scores), starts)
        logs = scores - np.repeat(np.log(totals), sizes)
        value = penalty * float(weights @ weights) - float(target @ logs) / len(used)
        return value, 2 * penalty * weights + rows.T @ (np.exp(logs) - target) / len(used)

    # A signal that speaks for a turn never counts against it, however the texts that were learned from happen to lie: among two turns,
    # or with another encoder, a negative weight on shared words would put the wrong one first.
    bounds = [(None, 0.0) if name in AGAINST else (0.0, None) for name in SIGNALS]
    best = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300})
    return np.asarray(_own_first() @ (best.x / scale))


def _own_first() -> Floats:
    """From parameters to weights, `(s, s)`: a neighbour's parameter counts for the turn's own signal as well."""
    names = list(SIGNALS)
    matrix = np.eye(len(names))
    for own, neighbours in OWN_FIRST.items():
        for one in neighbours:
            matrix[names.index(own), names.index(one)] = 1.0
    return matrix


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
    for place, whole in enumerate(own):
        # Of some only the beginning: a person who has said little is asked as well.
        heard = beginning(whole, BEGINNING) if place % 2 else whole
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
    early = [case for one in own_dialogues() for case in cases(beginning(one, BEGINNING), encoder)]
    slopes, offset = fit_probability([*learned_from, *early, *needless(encoder)], weights)
    return Weights(signals=weights, evidence=slopes, offset=offset)


if __name__ == "__main__":
    learned = learn(Remembering(MiniLMEncoder(locate(ENCODER))))
    # What takes the place of what is learned by `learn_matter`.
    written = {**json.loads(FILE.read_text(encoding="utf-8")), **learned.to_json()}
    FILE.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    print(f"written to {FILE}")
