"""Features and crops of CLIP."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from lifelong.perception import CLIPEncoder
from lifelong.perception.experimental.prompts.vision_language import guided_crops, random_crops

BEGIN, END = 30, 31


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


def test_features_are_those_of_the_model_itself() -> None:
    encoder = clip()
    model = encoder._model
    with torch.no_grad():
        tokens = torch.tensor([[BEGIN, 1, 2, 3, END, 0], [BEGIN, 4, END, 0, 0, 0]])
        texts = model.get_text_features(input_ids=tokens).pooler_output
        found = encoder.text_features([encoder.words([1, 2, 3]), encoder.words([4])])
    torch.testing.assert_close(found, torch.nn.functional.normalize(texts, dim=-1))
    whole, regions = encoder.image_features(images(3, 0)[0])
    assert whole.shape == (3, 8)
    assert regions.shape == (3, 4, 8)
    torch.testing.assert_close(regions.norm(dim=-1), torch.ones(3, 4))


def test_a_prompt_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="13 tokens is longer than the 12"):
        clip().text_features([torch.zeros(11, 16)])


def test_guided_crops_are_the_most_and_the_least_alike() -> None:
    pictures, _ = images(3, 0)
    texts = clip().text_features([clip().words([1]), clip().words([2]), clip().words([3])])
    (near, _), (far, regions) = guided_crops(clip(), pictures, texts, random_crops, 4, np.random.default_rng(0))
    draw = np.random.default_rng(0)
    likeness = torch.stack([(clip().image_features(random_crops(pictures, draw))[0] * texts).sum(-1) for _ in range(4)])
    torch.testing.assert_close((near * texts).sum(-1), likeness.amax(0))
    torch.testing.assert_close((far * texts).sum(-1), likeness.amin(0))
    assert regions.shape == (3, 4, 8)
