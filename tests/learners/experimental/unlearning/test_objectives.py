from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lifelong.learners.experimental.unlearning.objectives import (
    BatchOutputs,
    GradientAscent,
    GroupSparse,
    GroupSparseConditioned,
    GroupSparsePrototypes,
    NegativePreference,
    Scrub,
    UnlearningObjective,
    bounded,
    distillation,
    group_norm,
    held_down,
    mean,
    negative_preference,
    prototype_divergence,
    sample_losses,
    without_answers,
)

OBJECTIVES = [GroupSparse(), GroupSparsePrototypes(), GroupSparseConditioned(), GradientAscent(), NegativePreference(), Scrub()]
LN2, LN3, LN4 = math.log(2), math.log(3), math.log(4)


def answers(logits: list[list[float]], labels: list[int], reference: list[list[float]], features: list[list[float]]) -> BatchOutputs:
    return BatchOutputs(
        labels=torch.tensor(labels),
        logits=torch.tensor(logits),
        reference=torch.tensor(reference),
        features=torch.tensor(features),
        prototypes=torch.zeros(len(features), 2),
    )


# Softmax (1/4, 3/4), before (1/2, 1/2); features with softmax (1/4, 3/4), prototypes with (1/2, 1/2).
FORGET = answers([[0.0, LN3]], [0], [[0.0, 0.0]], [[0.0, LN3]])
RETAIN = answers([[0.0, LN3]], [1], [[0.0, 0.0]], [[0.0, LN3]])
GROUPS = [[torch.tensor([[3.0]]), torch.tensor([[4.0]])], [torch.tensor([[2.0]])]]
KEPT = math.log(4 / 3)
"""-ln 3/4."""
DIVERGENCE = 0.5 * LN2 + 0.5 * math.log(2 / 3)
"""KL((1/2, 1/2) || (1/4, 3/4)) = ln 2 - ln 3 / 2."""


def test_losses_are_means_over_the_answer() -> None:
    logits = torch.tensor([[[0.0, LN3], [0.0, 0.0]], [[0.0, LN3], [5.0, 5.0]]])
    losses = sample_losses(logits, torch.tensor([[0, 1], [1, -100]]))
    torch.testing.assert_close(losses, torch.tensor([(LN4 + LN2) / 2, KEPT]))
    torch.testing.assert_close(sample_losses(logits[:, 0], torch.tensor([0, 1])), torch.tensor([LN4, KEPT]))


def test_the_bound_holds_each_sample() -> None:
    values = torch.tensor([1.0, 9.0], requires_grad=True)
    loss = bounded(values, 4.0)
    assert loss.item() == pytest.approx(1.5)
    loss.backward()
    assert values.grad is not None
    assert values.grad.tolist() == [-0.5, 0.0]


def test_the_group_norm_is_that_of_whole_blocks() -> None:
    assert group_norm(GROUPS).item() == pytest.approx(5 + 2)
    zero = torch.zeros(2, 2, requires_grad=True)
    group_norm([[zero]]).backward()
    assert zero.grad is not None
    assert zero.grad.abs().sum() == 0


def test_divergences_by_hand() -> None:
    assert prototype_divergence(FORGET.features, FORGET.prototypes).item() == pytest.approx(DIVERGENCE)
    assert distillation(FORGET.logits, FORGET.reference, FORGET.labels, 1.0).item() == pytest.approx(DIVERGENCE)
    # At temperature 1/2 the logits are (0, 2 ln 3): softmax (1/10, 9/10), and KL = -ln(2 sqrt(9/100)) = -ln 0.6, times a quarter.
    assert distillation(FORGET.logits, FORGET.reference, FORGET.labels, 0.5).item() == pytest.approx(-0.25 * math.log(0.6))
    tokens = torch.stack([FORGET.logits, torch.full((1, 2), 7.0)], dim=1)
    loss = distillation(tokens, torch.zeros(1, 2, 2), torch.tensor([[0, -100]]), 1.0)
    assert loss.item() == pytest.approx(DIVERGENCE), "what is no answer does not count"


def test_a_forgotten_answer_has_the_lowest_logit_of_its_row() -> None:
    logits = torch.tensor([[[5.0, -1.0, 2.0], [0.0, 3.0, 7.0]]])
    assert without_answers(logits, torch.tensor([[2, 1]])).tolist() == [[[5.0, -1.0, -1.0], [0.0, 0.0, 7.0]]]
    assert logits[0, 0, 2] == 2, "the logits given stay as they are (invariant Purity)"


def test_classes_that_are_gone_are_held_at_the_lowest_logit() -> None:
    logits = torch.tensor([[5.0, -1.0, 2.0], [0.0, 3.0, 7.0]])
    assert held_down(logits, (0, 2)).tolist() == [[-1.0, -1.0, -1.0], [0.0, 3.0, 0.0]]
    assert held_down(logits, ()).tolist() == logits.tolist()
    assert logits[0, 0] == 5, "the logits given stay as they are (invariant Purity)"


@pytest.mark.parametrize("tokens", [False, True])
def test_the_target_is_the_old_answer_without_what_is_forgotten(tokens: bool) -> None:
    # Class 2 is forgotten now, class 3 was before, and class 4 was never likely. Of classes 0 and 1 the old network said (1/2, 1/2);
    # now it says (1/4, 3/4) and nothing of the others.
    low, now = -99.0, [[0.0, LN3, -99.0, -99.0, -99.0]]
    forget = answers(now, [2], [[0.0, 0.0, 6.0, low if tokens else 4.0, low]], [[0.0, 0.0]])
    retain = answers(now, [1], [[0.0, 0.0, low if tokens else 6.0, low if tokens else 4.0, low]], [[0.0, 0.0]])
    if tokens:
        forget, retain = (
            replace(one, labels=one.labels[:, None], logits=one.logits[:, None], reference=one.reference[:, None])
            for one in (forget, retain)
        )
    objective = GroupSparseConditioned(sparsity=0.0, prototype_retain_weight=0.0, conditioned_weight=1.0, temperature=1.0, gone=(3,))
    assert objective.loss(forget, retain, GROUPS, 0.0).item() == pytest.approx(KEPT + 2 * DIVERGENCE, abs=1e-5)


def test_negative_preference_by_hand() -> None:
    # -2 / 1 ln sigmoid(-(ln 1/4 - ln 1/2)) = -2 ln sigmoid(ln 2) = -2 ln 2/3.
    loss = negative_preference(torch.tensor([LN4]), torch.tensor([LN2]), 1.0)
    assert loss.item() == pytest.approx(-2 * math.log(2 / 3))


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        (GroupSparse(forget_weight=0.5, bound=3.0, sparsity=0.1), 0.5 * (3 - LN4) + KEPT + 0.7),
        (GroupSparse(forget_weight=0.5, bound=1.0, sparsity=0.0), KEPT),
        (
            GroupSparsePrototypes(
                forget_weight=0.5, bound=3.0, sparsity=0.1, prototype_forget_weight=0.2, prototype_bound=2.0, prototype_retain_weight=3.0
            ),
            0.5 * (3 - LN4) + KEPT + 0.7 + 0.2 * (2 - DIVERGENCE) + 3 * DIVERGENCE,
        ),
        (
            # Of two classes both were level, so that holding one down changes nothing: both sides are a divergence away.
            GroupSparseConditioned(
                forget_weight=0.5,
                bound=3.0,
                sparsity=0.1,
                prototype_forget_weight=0.2,
                prototype_bound=2.0,
                prototype_retain_weight=3.0,
                conditioned_weight=2.0,
                temperature=1.0,
            ),
            0.5 * (3 - LN4) + KEPT + 0.7 + 0.2 * (2 - DIVERGENCE) + 3 * DIVERGENCE + 4 * DIVERGENCE,
        ),
        (GradientAscent(forget_weight=0.5), KEPT - 0.5 * LN4),
        (NegativePreference(forget_weight=0.5, temperature=1.0), KEPT - math.log(2 / 3)),
        (Scrub(forget_weight=0.5, distilled=2.0, until=0.5, temperature=1.0), KEPT + 2 * DIVERGENCE - 0.5 * DIVERGENCE),
    ],
)
def test_objectives_golden(objective: UnlearningObjective, expected: float) -> None:
    assert objective.loss(FORGET, RETAIN, GROUPS, 0.0).item() == pytest.approx(expected, abs=1e-6)


def test_scrub_ends_with_keeping_alone() -> None:
    objective = Scrub(distilled=2.0, until=0.5, temperature=1.0)
    assert objective.loss(FORGET, RETAIN, GROUPS, 0.5).item() == pytest.approx(KEPT + 2 * DIVERGENCE, abs=1e-6)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: type(one).__name__)
def test_nothing_to_keep_is_a_finite_loss(objective: UnlearningObjective) -> None:
    nothing = answers([], [], [], [])
    nothing = BatchOutputs(
        labels=nothing.labels.long(),
        logits=torch.zeros(0, 2),
        reference=torch.zeros(0, 2),
        features=torch.zeros(0, 2),
        prototypes=torch.zeros(0, 2),
    )
    assert math.isfinite(objective.loss(FORGET, nothing, GROUPS, 0.0).item())
    assert mean(torch.zeros(0)).item() == 0


@given(push=st.floats(0.0, 30.0), bound=st.floats(0.5, 12.0))
def test_only_a_bounded_loss_stops_pushing(push: float, bound: float) -> None:
    logits = torch.tensor([[-push, 0.0]], requires_grad=True)
    forget = BatchOutputs(
        labels=torch.tensor([0]), logits=logits, reference=torch.zeros(1, 2), features=torch.zeros(1, 2), prototypes=torch.zeros(1, 2)
    )
    GroupSparse(bound=bound).loss(forget, RETAIN, GROUPS, 0.0).backward()
    assert logits.grad is not None
    known = math.log1p(math.exp(push)) < bound
    assert (logits.grad.abs().sum().item() > 0) == known or abs(math.log1p(math.exp(push)) - bound) < 1e-3
