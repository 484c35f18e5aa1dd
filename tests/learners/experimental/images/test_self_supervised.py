from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lifelong.learners import ImageRecipe, SelfSupervisedEncoder, load_head, save_head
from lifelong.learners.experimental.images.self_supervised import barlow_twins_loss

TINY = ImageRecipe(width=4, blocks=(1, 1), epochs=1, batch_size=8)
FORMS = ("plain", "frozen_norms", "branches")


def pixels(count: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size=(count, 8, 8, 3)).astype(np.uint8)


def encoder(form: str = "branches", *, groups: int = 1) -> SelfSupervisedEncoder:
    made = SelfSupervisedEncoder(TINY, form=form, projected=6)
    for group in range(groups):
        made.learn(pixels(seed=group))
    return made


def test_barlow_twins_golden() -> None:
    # Columns (1, -1, 1, -1) and (1, 1, -1, -1): equal views correlate as the identity; a negated column costs (1 + 1)^2.
    view = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    assert barlow_twins_loss(view, view).item() == pytest.approx(0, abs=1e-6)
    assert barlow_twins_loss(view, view * torch.tensor([1.0, -1.0])).item() == pytest.approx(4, abs=1e-3)
    # Two equal columns: both entries off the diagonal are one.
    assert barlow_twins_loss(view[:, [0, 0]], view[:, [0, 0]], 0.25).item() == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("form", FORMS)
def test_an_encoder_read_from_disk_learns_on_in_the_same_way(form: str, tmp_path: Path) -> None:
    one, again, loaded = encoder(form), encoder(form), SelfSupervisedEncoder(TINY, form=form, projected=6)
    save_head(one, tmp_path / "encoder.npz")
    load_head(loaded, tmp_path / "encoder.npz")
    before = one.features(pixels())
    assert before.shape == (16, 8)
    assert np.array_equal(loaded.features(pixels()), before)
    for made in (one, again, loaded):
        made.learn(pixels(seed=1))
    assert not np.allclose(one.features(pixels()), before)
    assert np.array_equal(again.features(pixels()), one.features(pixels()))
    assert np.array_equal(loaded.features(pixels()), one.features(pixels()))


def test_what_each_form_leaves_as_it_was() -> None:
    for form in FORMS:
        made = encoder(form)
        before = made.state()
        made.learn(pixels(seed=1))
        after = made.state()
        same = {name for name in before if np.array_equal(before[name], after[name])}
        statistics = {name for name in before if "running" in name and not name.startswith("network.4")}
        assert statistics
        assert (statistics <= same) == (form != "plain")
        assert ("network.0.1.weight" in same) == (form == "branches")
        assert "network.0.0.weight" not in same
        assert before.keys() == after.keys()


def test_bad_input_is_refused() -> None:
    fresh = SelfSupervisedEncoder(TINY)
    fresh.learn(pixels()[:0])
    with pytest.raises(ValueError, match="call `learn` first"):
        fresh.features(pixels())
    made = encoder()
    with pytest.raises(ValueError, match="one size"):
        made.learn(pixels()[:, :4, :4])
    with pytest.raises(ValueError, match="uint8"):
        made.features(pixels().astype(float))
    with pytest.raises(ValueError, match="must be"):
        SelfSupervisedEncoder(form="other")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="branch_size"):
        SelfSupervisedEncoder(branch_size=2)
    assert made.features(pixels()[:0]).shape == (0, 8)
