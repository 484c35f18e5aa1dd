"""How two changes of an encoder are merged: by what the texts at hand are attributed to, among the Gaussians of all classes.

The attribution loss of Guo et al. 2024, "DESIRE", https://arxiv.org/abs/2411.19154, reconstructed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....numerics.arrays import Labels
from ....numerics.class_statistics import whitening
from ...heads.analytic import shrunk
from ...heads.softmax import places
from ..images.class_gaussians import SHRINKAGE, ClassGaussians
from .adapted_encoder import SCALE, AdaptedEncoder, Change, EncoderRecipe, batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def attributions(vectors: Tensor, means: Tensor, root: Tensor) -> Tensor:
    """Log-likelihoods `(n, classes)` of Gaussians that share a covariance, up to a constant and tempered to the scale of cosines.

    `root` `(d, d)` whitens. In d dimensions the log-likelihoods of a text differ by the order of d; they are divided by `d / SCALE`, so
    that they are as sharp as the softmax that trained the features.
    """
    import torch

    return -(torch.cdist(vectors @ root, means @ root) ** 2) * (SCALE / (2 * means.shape[1]))


def consolidated(
    encoder: AdaptedEncoder,
    texts: Sequence[str],
    labels: Labels,
    changes: tuple[Change, Change],
    known: ClassGaussians,
    recipe: EncoderRecipe,
    share: float,
) -> dict[str, Tensor]:
    """One change of two, those so far and the current: `a_m` of the one and `b_m` of the other for every matrix m.

    They begin at `1 - share` and `share`. The loss on the new texts is the cross-entropy of attributing each to its own class among all,
    by the likelihood of the classes' Gaussians; and the Kullback-Leibler divergence between what the old ones attribute the text to
    before and after the merge, so that the old feature space stays where those Gaussians are true. The new classes' means follow the merged
    features once an epoch.
    """
    import torch

    old = torch.from_numpy(known.means.astype(np.float32))
    root = torch.from_numpy(whitening(shrunk(known.within(), SHRINKAGE)).astype(np.float32))
    fresh = np.setdiff1d(labels, known.labels)
    columns = np.argsort(np.concatenate([known.labels, fresh]))
    targets = torch.from_numpy(columns[places(labels, np.union1d(known.labels, fresh))])
    learned = torch.tensor([[start] * len(encoder.names) for start in (1 - share, share)], requires_grad=True)
    before = attributions(torch.from_numpy(encoder.encode(texts, changes[0])), old, root).log_softmax(1)
    optimiser = torch.optim.Adam([learned], lr=recipe.learning_rate)
    rows = encoder.tokenise(texts)
    for epoch in range(recipe.epochs):
        vectors = encoder.encode(texts, merged(encoder, changes, learned))
        centres = torch.from_numpy(np.stack([vectors[labels == one].mean(0) for one in fresh])) if len(fresh) else old[:0]
        once = EncoderRecipe(epochs=1, batch_size=recipe.batch_size, seed=recipe.seed + epoch)
        for batch in batches([len(row) for row in rows], once):
            with torch.enable_grad():
                features = encoder.read([rows[place] for place in batch], encoder.blended(changes, learned)).cpu()
                found = attributions(features, torch.cat([old, centres]), root)
                stays = before[batch].exp() * (before[batch] - found[:, : len(old)].log_softmax(1))
                loss = torch.nn.functional.cross_entropy(found, targets[batch]) + stays.sum(1).mean()
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch says nothing of it
            optimiser.step()
    return merged(encoder, changes, learned)


def merged(encoder: AdaptedEncoder, changes: Sequence[Change], shares: Tensor) -> dict[str, Tensor]:
    """`sum_t shares[t, m] changes[t][m]` for every matrix m, with shares `(changes, matrices)`."""
    parts = shares.detach().tolist()
    return {
        name: sum((part[m] * change[name] for part, change in zip(parts[1:], changes[1:], strict=True)), parts[0][m] * changes[0][name])
        for m, name in enumerate(encoder.names)
    }
