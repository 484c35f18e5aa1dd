from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import pytest
import torch

from lifelong.metrics.detection import auroc
from lifelong.perception import CLIPEncoder, LocalPrompt, MisclassificationPrompt
from lifelong.perception.experimental.prompts.local_prompt import local_contrastive, mean_likeness, negative_contrastive

BEGIN, END = 30, 31
PROMPTS, NAMES = [[1, 2, 3], [1, 2, 4]], [[3], [4, 5]]
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "projection_dim": 8}


@cache
def clip() -> CLIPEncoder:
    """Two layers of random weights."""
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(0)
    text = {**SMALL, "vocab_size": 32, "max_position_embeddings": 12, "bos_token_id": BEGIN, "eos_token_id": END, "pad_token_id": 0}
    vision = {**SMALL, "image_size": 8, "patch_size": 4}
    return CLIPEncoder(CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)))


def images(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Red ones and blue ones."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    made = 0.3 * torch.randn(count, 3, 8, 8, generator=random)
    made[torch.arange(count), 2 * labels] += 2
    return made, labels


def test_local_losses_golden() -> None:
    # Two regions, one counts: class logits ln (4, 1) and ln (2, 3), one negative ln 1 and ln 5; the label is the first class.
    local = torch.tensor([[[4.0, 1.0], [2.0, 3.0]]]).log()
    negative = torch.tensor([[[1.0], [5.0]]]).log()
    label = torch.tensor([0])
    assert local_contrastive(local, negative, label, 1).item() == pytest.approx(math.log((4 + 3 + 5) / 4), rel=1e-5)
    assert local_contrastive(local, negative, label, 9).item() == pytest.approx(math.log((6 + 4 + 6) / 6), rel=1e-5)
    # The region most like the class is the first, where the negative is 1.
    assert negative_contrastive(local, negative, label, 1).item() == pytest.approx(math.log((1 + 4 + 3) / 1), rel=1e-5)
    rows = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    assert mean_likeness(rows).item() == pytest.approx((0.6 + 0.8 + 0.0) / 3)


def test_on_clip_only_prompts_learn() -> None:
    pictures, labels = images(16, 0)
    before = [weights.clone() for weights in clip()._model.parameters()]
    local = LocalPrompt(clip(), PROMPTS, NAMES, negatives=3, context=2, regions=3)
    failure = MisclassificationPrompt(clip(), PROMPTS, NAMES, negatives=3, context=2)
    for fitted in (local, failure):
        start = fitted.negative_prompts.detach().clone()
        fitted.fit(pictures, labels, epochs=20, learning_rate=0.02, crops=3)
        assert fitted.loss_history[-1] < fitted.loss_history[0] - 0.2
        assert not torch.equal(fitted.negative_prompts, start)
    assert all(torch.equal(*pair) and pair[1].grad is None for pair in zip(before, clip()._model.parameters(), strict=True))
    known, asked = images(40, 1)
    assert (local.class_scores(known).argmax(1) == asked).float().mean() > 0.9
    assert (failure.probabilities(known).argmax(1) == asked).float().mean() > 0.9
    assert local.novelty(known).shape == failure.confidence(known).shape == (40,)


class Colours:
    """A pair of encoders that understand: features are colours, of the whole and of quarters; words 0, 1, 2 are red, green, blue."""

    width = 3
    scale = 10.0

    def image_features(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        quarters = torch.nn.functional.avg_pool2d(images, 4).flatten(2).transpose(1, 2)
        return tuple(torch.nn.functional.normalize(rows, dim=-1) for rows in (quarters.mean(1), quarters))  # type: ignore[return-value]

    def words(self, tokens: Sequence[int]) -> torch.Tensor:
        return torch.eye(3)[list(tokens)]

    def text_features(self, prompts: Sequence[torch.Tensor]) -> torch.Tensor:
        return torch.nn.functional.normalize(torch.stack([prompt.mean(0) for prompt in prompts]), dim=-1)


def scenes(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Left half red or blue, right half a green background."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    made = 0.1 * torch.randn(count, 3, 8, 8, generator=random)
    made[torch.arange(count), 2 * labels, :, :4] += 1
    made[:, 1, :, 4:] += 1
    return made, labels


def test_what_crops_leave_over_is_learned_as_unknown() -> None:
    pictures, labels = scenes(16, 0)
    known, asked = scenes(40, 1)
    background = known[..., 4:].repeat(1, 1, 1, 2)
    red_and_blue = [[0], [2]]
    fitted = LocalPrompt(Colours(), red_and_blue, red_and_blue, negatives=2, context=2, regions=2)
    before = auroc(-fitted.novelty(known), -fitted.novelty(background))
    fitted.fit(pictures, labels, epochs=20, learning_rate=0.05, crops=4)
    assert (fitted.class_scores(known).argmax(1) == asked).all()
    assert auroc(-fitted.novelty(known), -fitted.novelty(background)) > max(0.95, before - 0.01)
    negatives = fitted._features()[1].detach()
    assert (negatives.argmax(1) == 1).any(), "one is green; the diversity keeps the other away from it"

    failure = MisclassificationPrompt(Colours(), red_and_blue, red_and_blue, negatives=2, context=2)
    failure.fit(pictures, labels, epochs=20, learning_rate=0.05, crops=4)
    assert (failure.probabilities(known).argmax(1) == asked).all()
    doubtful = 0.3 * known + 0.7 * background
    assert auroc(failure.confidence(known), failure.confidence(doubtful)) > 0.95


@pytest.mark.parametrize("member", [LocalPrompt, MisclassificationPrompt])
def test_the_same_seed_gives_the_same_prompts(member: type[LocalPrompt] | type[MisclassificationPrompt]) -> None:
    pictures, labels = images(4, 0)
    first, second = (member(clip(), PROMPTS, NAMES, context=2, seed=1).fit(pictures, labels, epochs=2, crops=2) for _ in range(2))
    assert torch.equal(first.negative_prompts, second.negative_prompts)
    assert first.loss_history == second.loss_history


@pytest.mark.parametrize("member", [LocalPrompt, MisclassificationPrompt])
def test_bad_input_is_refused(member: type[LocalPrompt] | type[MisclassificationPrompt]) -> None:
    with pytest.raises(ValueError, match="2 prompts and 1 names"):
        member(clip(), PROMPTS, NAMES[:1])
    with pytest.raises(ValueError, match="negatives 0"):
        member(clip(), PROMPTS, NAMES, negatives=0)
    with pytest.raises(ValueError, match="one label an image"):
        member(clip(), PROMPTS, NAMES, context=2).fit(images(2, 0)[0], torch.tensor([0]))
