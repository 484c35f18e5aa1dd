"""Golden numbers by hand: the softmax of ln (1, 2, 5) is (1, 2, 5) / 8."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lifelong.perception import (
    EnergyConfidence,
    SoftmaxConfidence,
    energy_confidence,
    entropy_confidence,
    fit_temperature,
    margin_confidence,
    maximum_logit_confidence,
    softmax_confidence,
)

LOGITS = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64).log()
FORMULAS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "softmax": softmax_confidence,
    "margin": margin_confidence,
    "entropy": entropy_confidence,
    "maximum_logit": maximum_logit_confidence,
    "energy": energy_confidence,
}
SHIFT_BLIND = ("softmax", "margin", "entropy")


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        ("softmax", 0.625),
        ("margin", 0.375),
        ("entropy", 0.125 * math.log(0.125) + 0.25 * math.log(0.25) + 0.625 * math.log(0.625)),
        ("maximum_logit", math.log(5)),
        ("energy", math.log(8)),
    ],
)
def test_golden(name: str, golden: float) -> None:
    assert FORMULAS[name](LOGITS).item() == pytest.approx(golden)


def test_energy_at_another_temperature_golden() -> None:
    # 2 ln (1 + 2 + 5) for logits of 2 ln (1, 2, 5).
    assert energy_confidence(2 * LOGITS, temperature=2.0).item() == pytest.approx(2 * math.log(8))


@pytest.mark.parametrize("name", FORMULAS)
def test_far_logits_do_not_overflow_and_leading_axes_stay(name: str) -> None:
    far = torch.tensor([[[1e4, 0.0, -1e4]], [[0.0, 0.0, 0.0]]])
    values = FORMULAS[name](far)
    assert values.shape == (2, 1)
    assert torch.isfinite(values).all()
    assert values[0] > values[1]


@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_exist(name: str) -> None:
    logits = LOGITS.clone().requires_grad_()
    FORMULAS[name](logits).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6), st.floats(-5, 5))
def test_ranges_order_and_shifts(values: list[float], shift: float) -> None:
    logits, classes = torch.tensor(values, dtype=torch.float64), len(values)
    scores = {name: formula(logits).item() for name, formula in FORMULAS.items()}
    assert 1 / classes - 1e-9 <= scores["softmax"] <= 1 + 1e-9
    assert -1e-9 <= scores["margin"] <= 1 + 1e-9
    assert -math.log(classes) - 1e-9 <= scores["entropy"] <= 1e-9
    assert scores["maximum_logit"] <= scores["energy"] + 1e-9 <= scores["maximum_logit"] + math.log(classes) + 2e-9
    for name, formula in FORMULAS.items():
        reversed_ = formula(logits.flip(-1)).item()
        assert reversed_ == pytest.approx(scores[name], abs=1e-9)
        moved = formula(logits + shift).item() - scores[name]
        assert moved == pytest.approx(0 if name in SHIFT_BLIND else shift, abs=1e-9)


@given(st.floats(0.2, 5), st.integers(0, 10_000))
def test_temperature_finds_what_the_logits_were_multiplied_by(factor: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    logits = draw.normal(size=(300, 4)).astype(np.float32)
    labels = np.argmax(logits + draw.gumbel(size=logits.shape), axis=1)
    honest = fit_temperature(logits, labels)
    assert fit_temperature(logits * factor, labels) == pytest.approx(honest * factor, rel=0.01)


def test_temperature_golden() -> None:
    # Nine of ten right at logits (ln 81, 0): the softmax says 0.9 at ln 9 = ln 81 / 2, so at temperature 2.
    logits = np.tile(np.array([[math.log(81), 0]], dtype=np.float32), (10, 1))
    assert fit_temperature(logits, np.array([0] * 9 + [1])) == pytest.approx(2, rel=1e-3)


def test_a_scorer_divides_by_its_temperature() -> None:
    logits = (2 * LOGITS[None]).float().numpy()
    nothing = np.zeros((1, 0), dtype=np.float32)
    assert SoftmaxConfidence(temperature=2.0).score(nothing, logits)[0] == pytest.approx(0.625)
    with pytest.raises(ValueError, match="above 0"):
        EnergyConfidence(temperature=0.0)
    with pytest.raises(ValueError, match="one class"):
        SoftmaxConfidence().score(nothing, nothing)
