"""The navigator's network: cells compared with the goal, and the last action, aligned into one feature a step, decoded over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .backbones import BACKBONES, HEADS
from .modalities import GRID, MODALITIES, Modality

if TYPE_CHECKING:
    from torch import Tensor, nn


def navigator_network(
    *, actions: int, modality: Modality = MODALITIES[GRID], backbone: str = "linear_attention", width: int = 64, seed: int = 0
) -> nn.ModuleDict:
    """An untrained network; the weights follow from the seed alone (invariant Determinism).

    `encoder`: views `(N, rows, columns, channels)` of the modality and goals `(N,)` to `(N, D)`; `goal` and `last`: numbers to `(N, D)`,
    the last action being `actions` before the first step; `align`: the three together `(N, 3 D)` to the aligned feature `(N, D)`;
    `decoder`: a `Backbone`; `policy`: `(N, D)` to logits `(N, actions)`. Raises `ValueError` for an unknown backbone, and for a width
    that is no multiple of its 4 heads.
    """
    import torch
    from torch import nn

    if backbone not in BACKBONES or width < HEADS or width % HEADS:
        raise ValueError(f"backbone must be one of {', '.join(BACKBONES)}, width a multiple of {HEADS}; got {backbone!r}, {width}")

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.ModuleDict(
            {
                "encoder": _encoder(modality, width),
                "goal": nn.Embedding(modality.goals, width),
                "last": nn.Embedding(actions + 1, width),
                "align": nn.Sequential(nn.Linear(3 * width, width), nn.ReLU(), nn.Linear(width, width)),
                "decoder": BACKBONES[backbone](width),
                "policy": nn.Linear(width, actions),
            }
        )


def _encoder(modality: Modality, width: int) -> nn.Module:
    """Views `(N, rows, columns, channels)` and goals `(N,)` to `(N, D)`."""
    import torch
    from torch import nn

    rows, columns, channels = modality.shape
    features = modality.features

    class Quantities(nn.Module):
        """What stands in a cell, from quantities instead of kinds."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(channels, 48), nn.ReLU(), nn.Linear(48, features), nn.LayerNorm(features))

        def forward(self, views: Tensor) -> Tensor:
            read: Tensor = self.layers(views.float() / (modality.values - 1))
            return read

    class Cells(nn.Module):
        """Kind, colour and state of every cell by embedding, beside their product with the goal's embedding and its sum.

        The product says in which cell the goal is, before two convolutions and a linear map that keeps where things are: as C-NAV's
        pictures and goals are encoded into one space before its network begins. Every goal's embedding is learned from its own episodes.
        """

        def __init__(self) -> None:
            super().__init__()
            kinds = [nn.Embedding(modality.values, features // channels) for _ in range(channels)] if modality.cells else [Quantities()]
            self.embeddings = nn.ModuleList(kinds)
            self.wanted = nn.Embedding(modality.goals, features)
            self.seen = nn.Linear(features, features)
            self.layers = nn.Sequential(
                nn.Conv2d(2 * features + 1, modality.filters, 3, padding=1), nn.ReLU(),
                nn.Conv2d(modality.filters, 16, 3, padding=1), nn.ReLU(),
                nn.Flatten(), nn.Linear(16 * rows * columns, width), nn.ReLU(), *([] if modality.cells else [nn.LayerNorm(width)]),
            )  # fmt: skip

        def forward(self, views: Tensor, goals: Tensor) -> Tensor:
            read = [one(views[..., place] if modality.cells else views) for place, one in enumerate(self.embeddings)]
            cells = torch.cat(read, -1)
            match = self.seen(cells) * self.wanted(goals)[:, None, None]
            together = torch.cat([cells, match, match.sum(-1, keepdim=True)], -1)
            encoded: Tensor = self.layers(together.permute(0, 3, 1, 2))
            return encoded

    return Cells()


def aligned_features(network: nn.ModuleDict, views: Tensor, goals: Tensor, last: Tensor) -> Tensor:
    """The aligned feature of every step: `views` `(B, T, rows, columns, channels)`, `goals` `(B,)`, `last` `(B, T)` to `(B, T, D)`."""
    import torch

    episodes, steps = last.shape
    seen = network["encoder"](views.flatten(0, 1), goals.repeat_interleave(steps)).unflatten(0, (episodes, steps))
    wanted = network["goal"](goals)[:, None].expand(-1, steps, -1)
    aligned: Tensor = network["align"](torch.cat([seen, wanted, network["last"](last)], -1))
    return aligned


def draw_goal_anew(network: nn.ModuleDict, number: int, *, seed: int) -> None:
    """Give a goal other embeddings in a network, in place, as an untrained one has them: no other goal's weights change.

    They differ from those that training began with: the weights that all goals share have learned to read whatever lies near these.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name in ("goal.weight", "encoder.wanted.weight"):
                weight[number] = torch.randn(weight.shape[1], generator=generator)


def decoded(network: nn.ModuleDict, features: Tensor) -> Tensor:
    """Logits `(B, T, A)` of whole episodes."""
    decoder: Any = network["decoder"]
    outputs, _ = decoder(features, decoder.initial(len(features)))
    logits: Tensor = network["policy"](outputs)
    return logits


def padded(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Episodes of different lengths as one tensor `(B, T, ...)`, and which steps are theirs `(B, T)`."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    valid = pad_sequence([torch.ones(len(row)) for row in rows], batch_first=True)
    return pad_sequence(list(rows), batch_first=True), valid
