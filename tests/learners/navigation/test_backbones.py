"""Decoders over time: step by step as at once, no look ahead, a state that does not grow."""

from __future__ import annotations

import pytest
import torch

from lifelong.learners.navigation.backbones import BACKBONES, WINDOW, linear_attention

WIDTH = 8


@pytest.fixture(params=BACKBONES)
def backbone(request: pytest.FixtureRequest):
    torch.manual_seed(0)
    return BACKBONES[request.param](WIDTH).eval()


@torch.no_grad()
def test_step_by_step_gives_the_same_as_at_once(backbone) -> None:
    features = torch.randn(3, WINDOW + 9, WIDTH)
    whole, last = backbone(features, backbone.initial(3))
    state, outputs = backbone.initial(3), []
    for step in range(features.shape[1]):
        output, state = backbone(features[:, step : step + 1], state)
        outputs.append(output)
    torch.testing.assert_close(torch.cat(outputs, 1), whole, atol=1e-5, rtol=1e-4)
    for one, other in zip(state, last, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_no_output_depends_on_what_comes_later_and_each_on_what_came_before(backbone) -> None:
    features = torch.randn(1, 6, WIDTH)
    changed = features.clone()
    changed[0, 3] = torch.randn(WIDTH)  # normalised, a constant more would be the same
    one, other = (backbone(rows, backbone.initial(1))[0] for rows in (features, changed))
    assert torch.equal(one[:, :3], other[:, :3])
    assert not torch.allclose(one[:, 4:], other[:, 4:])


@torch.no_grad()
def test_the_state_has_the_same_size_however_long_the_episode(backbone) -> None:
    sizes = {tuple(part.shape for part in backbone(torch.randn(2, steps, WIDTH), backbone.initial(2))[1]) for steps in (1, 5, 2 * WINDOW)}
    assert sizes == {tuple(part.shape for part in backbone.initial(2))}
    assert all(part.shape[0] == 2 for part in backbone.initial(2))


@torch.no_grad()
def test_linear_attention_is_the_published_sum() -> None:
    torch.manual_seed(1)
    module = linear_attention(4)  # 4 heads of one number each, so that every product is one of numbers
    features = torch.randn(1, 3, 4)
    query, key, value = module.mix(module.norm(features))[0].chunk(3, -1)
    query, key = (torch.where(part > 0, part + 1, part.exp()) for part in (query, key))
    read = torch.stack([(query[t] * (key[: t + 1] * value[: t + 1]).sum(0)) / (query[t] * key[: t + 1].sum(0)) for t in range(3)])
    expected = features[0] + module.joined(read)
    expected = expected + module.after(expected)
    torch.testing.assert_close(module(features, module.initial(1))[0][0], expected)
