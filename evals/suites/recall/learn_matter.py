"""How it is learned what takes the place of what: `python -m lifelong.evals.suites.recall.learn_matter` writes the shipped weights.

Three kinds of pairs of the project's own making count alike: updates, pairs made to look like them, and what people say one after the
other in the project's dialogues, which is what most pairs of hits are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain

import numpy as np

from ....memory.recall.fusion import FILE
from ....memory.recall.matter import FEATURES, MatterWeights, matter_features
from ....memory.turns.sentences import stated
from ....numerics.arrays import Floats
from ....perception import Encoder, MiniLMEncoder
from ....serving import locate
from ...data.dialogues import Dialogue, StatementPair, own_dialogues, statement_pairs
from ...data.texts import ENCODER
from .asked import Remembering

NEAREST = 8
"""Earlier turns of its speaker that are nearest in meaning to a turn, each a pair with it."""
WRONG = 0.0025
"""Most of these pairs may be taken for an update and its subject. Ten hits are up to 45 pairs, and to call what still holds outdated is
worse than to show both."""
WRONG_ALIKE = 0.05
"""Most of the pairs that were made to look like updates."""
PARTS = 8
"""Parts of the pairs; the chances of each are those of a fit to the others."""

PairGroups = Sequence[Sequence[StatementPair]]
"""Pairs in groups that count alike; lines of one text stand together in each."""


def said_beside(dialogues: Sequence[Dialogue], encoder: Encoder) -> list[StatementPair]:
    """Each statement of the dialogues with the earlier ones of its speaker that are nearest to it: about other matters, but for a few."""
    pairs: list[StatementPair] = []
    for dialogue in dialogues:
        for speaker in dict.fromkeys(turn.speaker for turn in dialogue.turns):
            said = [turn.text for turn in dialogue.turns if turn.speaker == speaker and stated(turn.text)]
            vectors = encoder.encode(said)
            for place in range(1, len(said)):
                nearest = np.argsort(-(vectors[:place] @ vectors[place]), kind="stable")[:NEAREST].tolist()
                pairs += [StatementPair(earlier=said[other], later=said[place], same_matter=False) for other in nearest]
    return pairs


def learn_same_matter(encoder: Encoder) -> tuple[MatterWeights, dict[str, float]]:
    """The weights, with the offset at which a chance of one half takes no more than `WRONG` and `WRONG_ALIKE`; and, by chances
    that were fitted to other pairs, the shares of the updates that are missed and of the other pairs that are taken.
    """
    made = statement_pairs()
    groups = (
        [pair for pair in made if pair.same_matter],
        [pair for pair in made if not pair.same_matter],
        said_beside(own_dialogues(), encoder),
    )
    updates, alike, beside = held_out_chances(groups, encoder)
    least = float(max(np.quantile(beside, 1 - WRONG), np.quantile(alike, 1 - WRONG_ALIKE)))
    fitted = fit_same_matter(groups, encoder)
    shifted = MatterWeights(weights=fitted.weights, offset=round(fitted.offset - float(np.log(least / (1 - least))), 4))
    shares = {
        "updates missed": float((updates < least).mean()),
        "pairs made alike taken": float((alike >= least).mean()),
        "pairs of dialogues taken": float((beside >= least).mean()),
    }
    return shifted, shares


def fit_same_matter(groups: PairGroups, encoder: Encoder) -> MatterWeights:
    """A logistic regression of whether a statement takes the place of another."""
    from scipy.optimize import minimize

    pairs = list(chain.from_iterable(groups))
    design = np.column_stack([matter_design(pairs, encoder), np.ones(len(pairs))])
    labels = np.array([float(pair.same_matter) for pair in pairs])
    weight = np.concatenate([np.full(len(group), 1 / len(group)) for group in groups if group]) / len(groups)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        logit = design @ parameters
        penalty = np.append(parameters[:-1], 0.0)
        value = float(weight @ (np.logaddexp(0, logit) - labels * logit)) + 0.5e-3 * float(penalty @ penalty)
        return value, design.T @ (weight * (1 / (1 + np.exp(-logit)) - labels)) + 1e-3 * penalty

    fitted = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    return MatterWeights(weights=tuple(fitted[:-1].round(4).tolist()), offset=round(float(fitted[-1]), 4))


def matter_design(pairs: Sequence[StatementPair], encoder: Encoder) -> Floats:
    """Features of the pairs, `(n, len(FEATURES))`."""
    earlier, later = encoder.encode([one.earlier for one in pairs]), encoder.encode([one.later for one in pairs])
    cosines = np.einsum("nd,nd->n", earlier, later).tolist()
    return np.array([matter_features(one.earlier, one.later, cosine) for one, cosine in zip(pairs, cosines, strict=True)])


def held_out_chances(groups: PairGroups, encoder: Encoder) -> list[Floats]:
    """Chances of the pairs of each group, `(n,)`, by fits to the other parts."""
    part_of = [np.arange(len(group)) * PARTS // max(1, len(group)) for group in groups]
    designs = [matter_design(group, encoder) for group in groups]
    chances = [np.zeros(len(group)) for group in groups]
    for part in range(PARTS):
        others = [
            [pair for pair, own in zip(group, owned, strict=True) if own != part] for group, owned in zip(groups, part_of, strict=True)
        ]
        fitted = fit_same_matter(others, encoder)
        for found, design, owned in zip(chances, designs, part_of, strict=True):
            found[owned == part] = [fitted.chance(row) for row in design[owned == part].tolist()]
    return chances


if __name__ == "__main__":
    learned, shares = learn_same_matter(Remembering(MiniLMEncoder(locate(ENCODER))))
    print("by fits to other pairs:", {name: round(share, 4) for name, share in shares.items()})
    written = json.loads(FILE.read_text(encoding="utf-8"))
    written["same_matter"] = {**dict(zip(FEATURES, learned.weights, strict=True)), "offset": learned.offset}
    FILE.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    print(f"written to {FILE}")
