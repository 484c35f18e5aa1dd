"""What few-shot prompt learning needs of a pair of encoders like CLIP: `VisionLanguageEncoder`, and `CLIPEncoder` for transformers.

Both encoders stay frozen; what is trained are word vectors that no word has. A prompt is a tensor `(length, width)` of such vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..training.classifier_training import Augment, row_batches

if TYPE_CHECKING:
    from torch import Tensor


class VisionLanguageEncoder(Protocol):
    """Images and texts in one space. Features have length one, so that their products are cosines."""

    @property
    def width(self) -> int:
        """Size of a word vector."""

    @property
    def scale(self) -> float:
        """What cosines are multiplied with to be logits; 100 for a trained CLIP."""

    def image_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Of whole images `(n, d)` and of their regions `(n, regions, d)`, without gradients."""

    def words(self, tokens: Sequence[int]) -> Tensor:
        """Vectors `(length, width)` of tokens."""

    def text_features(self, prompts: Sequence[Tensor]) -> Tensor:
        """`(prompts, d)` of prompts without their marks of beginning and end; gradients reach the prompts."""


class CLIPEncoder:
    """A `transformers.CLIPModel`, frozen. Regions are its patches, through the final norm and the projection of the whole image.

    The released code of Local-Prompt takes them from an additional value-to-value attention instead.
    """

    def __init__(self, model: Any) -> None:
        self._model = model.eval().requires_grad_(False)

    @property
    def width(self) -> int:
        """Size of a word vector."""
        return int(self._model.config.text_config.hidden_size)

    @property
    def scale(self) -> float:
        """The model's own."""
        return float(self._model.logit_scale.exp())

    def image_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Of images as the model's processor gives them."""
        import torch

        with torch.no_grad():
            seen = self._model.get_image_features(pixel_values=images)
            regions = self._model.vision_model.post_layernorm(seen.last_hidden_state[:, 1:])
            return _unit(seen.pooler_output), _unit(self._model.visual_projection(regions))

    def words(self, tokens: Sequence[int]) -> Tensor:
        """Rows of the embedding."""
        import torch

        vectors: Tensor = self._model.text_model.embeddings.token_embedding(torch.tensor(list(tokens), dtype=torch.int64))
        return vectors

    def text_features(self, prompts: Sequence[Tensor]) -> Tensor:
        """The text model takes tokens alone, so its parts are called one by one. Raises `ValueError` for prompts that are too long."""
        import torch
        from torch.nn.utils.rnn import pad_sequence
        from transformers.masking_utils import create_causal_mask

        text = self._model.text_model
        marks = self.words([text.config.bos_token_id, text.config.eos_token_id])
        begin, end = marks[:1], marks[1:]
        longest = max(map(len, prompts)) + 2
        if longest > text.config.max_position_embeddings:
            raise ValueError(f"a prompt of {longest} tokens is longer than the {text.config.max_position_embeddings} that the model reads")
        # What stands after the end is never looked at: attention goes backwards.
        padded = pad_sequence([torch.cat([begin, prompt, end]) for prompt in prompts], batch_first=True)
        hidden = text.embeddings(inputs_embeds=padded)
        mask = create_causal_mask(config=text.config, inputs_embeds=hidden, attention_mask=None, past_key_values=None)
        hidden = text.final_layer_norm(text.encoder(inputs_embeds=hidden, attention_mask=mask, is_causal=True).last_hidden_state)
        ends = torch.tensor([len(prompt) + 1 for prompt in prompts])
        return _unit(self._model.text_projection(hidden[torch.arange(len(prompts)), ends]))


def random_crops(images: Tensor, draw: np.random.Generator, smallest: float = 0.25) -> Tensor:
    """A square part of each image `(n, channels, size, size)`, of a side drawn from `smallest` to 1 of it, brought back to its size."""
    import torch
    from torch.nn.functional import interpolate

    size = images.shape[-1]
    parts = []
    for image in images:
        side = max(1, round(float(draw.uniform(smallest, 1)) * size))
        top, left = (int(draw.integers(size - side + 1)) for _ in range(2))
        part = image[None, :, top : top + side, left : left + side]
        parts.append(interpolate(part, size=(size, size), mode="bilinear", align_corners=False))
    return torch.cat(parts)


def guided_crops(
    encoder: VisionLanguageEncoder, images: Tensor, texts: Tensor, crop: Augment, count: int, draw: np.random.Generator
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Features, whole and by region, of the crop of each image that is most like its text `(n, d)`, and of the one that is least."""
    import torch

    seen = [encoder.image_features(crop(images, draw)) for _ in range(count)]
    whole, regions = (torch.stack(part) for part in zip(*seen, strict=True))
    likeness = (whole * texts).sum(-1)
    rows = torch.arange(len(images))
    most, least = likeness.argmax(0), likeness.argmin(0)
    return (whole[most, rows], regions[most, rows]), (whole[least, rows], regions[least, rows])


def train_prompts(
    prompts: Sequence[Tensor],
    loss: Callable[[Tensor, np.random.Generator], Tensor],
    count: int,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    draw: np.random.Generator,
) -> list[float]:
    """Descend the loss of batches, given as the places of samples, on the prompts alone; the mean loss by epoch.

    Stochastic gradient descent with momentum 0.9, its learning rate on a half cosine to zero.
    """
    import torch

    optimiser = torch.optim.SGD(list(prompts), lr=learning_rate, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    history: list[float] = []
    for _ in range(epochs):
        losses = [_descend(optimiser, loss(rows, draw)) for rows in row_batches(count, batch_size, draw)]
        history.append(float(np.mean(losses)))
        schedule.step()
    return history


def random_prompts(count: int, length: int, width: int, draw: np.random.Generator) -> Tensor:
    """Prompts `(count, length, width)` to be trained, from a normal distribution of deviation 0.02."""
    import torch

    return torch.from_numpy(draw.normal(scale=0.02, size=(count, length, width)).astype(np.float32)).requires_grad_()


def _descend(optimiser: Any, loss: Tensor) -> float:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    optimiser.step()
    return float(loss.detach())


def _unit(rows: Tensor) -> Tensor:
    from torch.nn.functional import normalize

    return normalize(rows, dim=-1)
