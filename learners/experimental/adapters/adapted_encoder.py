"""`AdaptedEncoder`: a sentence encoder with frozen weights that takes low-rank changes, trains them and says what it reads with them.

Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", https://arxiv.org/abs/2106.09685, equation 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ....core.paths import AnyPath
from ....numerics.arrays import Labels
from ...adapters.samples import length_grouped
from ...heads.softmax import places
from .low_rank import low_rank, pairs

if TYPE_CHECKING:
    from torch import Tensor, nn

Change = Mapping[str, "Tensor"]
"""What is added to the weights of linear layers, by the parameter's name; sums of low-rank changes, kept as whole matrices."""
Tokenise = Callable[[Sequence[str]], list[list[int]]]
"""Token numbers of each text."""
SCALE = 16.0
"""What cosines are multiplied by before the softmax."""


@dataclass(frozen=True, kw_only=True)
class EncoderRecipe:
    """Everything that decides how a low-rank change comes out, given its texts."""

    rank: int = 8
    """Of the change of each linear layer."""
    epochs: int = 4
    """Passes over the texts."""
    batch_size: int = 32
    """Texts a step, of like lengths."""
    learning_rate: float = 1e-3
    """Of AdamW; a half cosine takes it to zero."""
    seed: int = 0
    """Of initialisation and order."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a value out of its range."""
        if min(self.rank, self.epochs, self.batch_size) < 1 or self.learning_rate <= 0:
            raise ValueError(f"{self}: every value but the seed must be above 0")


class AdaptedEncoder:
    """Mean-pooled, normalised token vectors of a transformer, with the sum of its weights and a change.

    The network is any whose output has a `last_hidden_state` `(n, length, d)`; it is frozen and stays as it is. Matrix products run in
    bfloat16, which is three times as fast where the processor has it; weights, their changes and what comes out are float32.
    """

    def __init__(self, network: nn.Module, tokenise: Tokenise) -> None:
        import torch

        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.to(self._device).eval().requires_grad_(False)
        self._tokenise = tokenise
        linear = (f"{name}.weight" for name, one in network.named_modules() if isinstance(one, torch.nn.Linear) and "pooler" not in name)
        self.names = tuple(linear)
        if not self.names:
            raise ValueError(f"{type(network).__name__} has no linear layer to adapt")

    @classmethod
    def load(cls, path: AnyPath, longest: int = 64) -> AdaptedEncoder:
        """A sentence-transformers model from its directory; of a text, the first `longest` tokens are read."""
        path = Path(path)
        from transformers import AutoModel, AutoTokenizer

        from ....serving import quiet_transformers

        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
            # The fused attention's backward pass is slow on CPU, and texts are short.
            network = AutoModel.from_pretrained(path, attn_implementation="eager", trust_remote_code=False, use_safetensors=True)
        return cls(network, lambda texts: list(tokenizer(list(texts), truncation=True, max_length=longest)["input_ids"]))

    def encode(self, texts: Sequence[str], change: Change | None = None) -> NDArray[np.float32]:
        """Unit rows `(n, d)`."""
        import torch

        rows = self._tokenise(texts)
        order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
        weights = self._weights(change)
        with torch.no_grad():
            parts = [self.read([rows[p] for p in order[start : start + 64]], weights).cpu() for start in range(0, len(order), 64)]
        vectors = np.zeros((len(rows), parts[0].shape[1] if parts else 0), dtype=np.float32)
        vectors[order] = torch.cat(parts).numpy() if parts else vectors
        return vectors

    def read(self, rows: Sequence[Sequence[int]], weights: Mapping[str, Tensor]) -> Tensor:
        """Unit rows `(n, d)` of token numbers, under weights that replace the network's own; gradients flow to them."""
        import torch
        from torch.func import functional_call
        from torch.nn.functional import normalize

        length = max(map(len, rows))
        ids = torch.tensor([[*row, *[0] * (length - len(row))] for row in rows], device=self._device)
        mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows], device=self._device)
        with torch.autocast(self._device.type, torch.bfloat16):
            hidden = functional_call(self._network, dict(weights), (), {"input_ids": ids, "attention_mask": mask}).last_hidden_state
        share = mask[:, :, None] / mask.sum(1)[:, None, None]
        return normalize((hidden.float() * share).sum(1), dim=1)

    def train(
        self, texts: Sequence[str], labels: Labels, recipe: EncoderRecipe, start: Change | None = None, head: Tensor | None = None
    ) -> tuple[dict[str, Tensor], Tensor]:
        """The change that tells these texts' classes apart by a cosine softmax, on top of `start` and with it; and the class vectors.

        `head` `(classes, d)` are the class vectors to begin with, in the order of ascending labels: the means of each class unless given.
        Raises `ValueError` for no texts, lengths that differ, and a head of other classes.
        """
        import torch
        from torch.nn.functional import cross_entropy, normalize

        labels = np.asarray(labels, dtype=np.int64)
        if not len(texts) or labels.shape != (len(texts),):
            raise ValueError(
                f"{len(texts)} texts and labels of the shape {labels.shape}; one label a text, and one text at least, are needed"
            )
        known = np.unique(labels)
        targets = torch.from_numpy(places(labels, known)).to(self._device)
        if head is None:
            vectors = self.encode(texts, start)
            head = torch.from_numpy(np.stack([vectors[labels == one].mean(0) for one in known]))
        centres = normalize(head, dim=1).to(self._device).clone().requires_grad_()
        layers = [[name.removesuffix(".weight") for name in self.names]]
        rows = self._tokenise(texts)
        with _changed(self._network, start), low_rank(self._network, layers, recipe.rank, recipe.seed) as (matrices,), torch.enable_grad():
            optimiser = torch.optim.AdamW([*matrices, centres], lr=recipe.learning_rate, weight_decay=0.0)
            steps = recipe.epochs * -(-len(rows) // recipe.batch_size)
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
            for batch in batches([len(row) for row in rows], recipe):
                features = self.read([rows[place] for place in batch], {})
                optimiser.zero_grad()
                loss = cross_entropy(SCALE * features @ normalize(centres, dim=1).T, targets[batch])
                loss.backward()  # type: ignore[no-untyped-call]  # torch says nothing of it
                optimiser.step()
                schedule.step()
        learned = {name: (up @ down).detach() for name, (down, up) in zip(self.names, pairs(matrices), strict=True)}
        return {name: delta + start[name] if start and name in start else delta for name, delta in learned.items()}, centres.detach()

    def blended(self, changes: Sequence[Change], shares: Tensor) -> dict[str, Tensor]:
        """The network's weights with `sum_t shares[t, m] changes[t][m]` added to matrix m; gradients flow to the shares."""
        own = dict(self._network.named_parameters())
        return {name: own[name] + sum(shares[t, m] * change[name] for t, change in enumerate(changes)) for m, name in enumerate(self.names)}

    def tokenise(self, texts: Sequence[str]) -> list[list[int]]:
        """Token numbers of each text."""
        return self._tokenise(texts)

    def _weights(self, change: Change | None) -> dict[str, Tensor]:
        own = dict(self._network.named_parameters())
        return {name: own[name] + delta for name, delta in (change or {}).items()}


def batches(lengths: Sequence[int], recipe: EncoderRecipe) -> Iterator[list[int]]:
    """Places of the texts of each step, epoch after epoch; batches hold texts of like lengths and come in a random order."""
    draw = np.random.default_rng(recipe.seed)
    for _ in range(recipe.epochs):
        grouped = length_grouped(lengths, recipe.batch_size, draw.permutation(len(lengths)).tolist())
        starts = range(0, len(grouped), recipe.batch_size)
        for start in draw.permutation(np.array(starts)):
            yield grouped[start : start + recipe.batch_size]


@contextmanager
def _changed(network: nn.Module, change: Change | None) -> Iterator[None]:
    """While open, a network's weights are those with a change."""
    weights = {name: network.get_parameter(name) for name in change or {}}
    frozen = {name: one.data for name, one in weights.items()}
    try:
        for name, delta in (change or {}).items():
            weights[name].data = frozen[name] + delta
        yield
    finally:
        for name, one in weights.items():
            one.data = frozen[name]
