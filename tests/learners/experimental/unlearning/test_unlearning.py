from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from made.block_encoder import CLASSES, accuracy, made
from torch import nn

from lifelong.learners import (
    GradientAscent,
    GroupSparse,
    GroupSparseConditioned,
    GroupSparsePrototypes,
    NegativePreference,
    Scrub,
    UnlearningObjective,
    UnlearningRecipe,
    UnlearningRequest,
    unlearn,
)
from lifelong.learners.experimental.unlearning.unlearning import Before

RECIPE = UnlearningRecipe(rank=2, steps=60, learning_rate=0.03, forget_batch=4, retain_batch=12)


def request(gone: int, kept: list[int], each: int = 4) -> UnlearningRequest:
    inputs, labels = made(80, 0)
    few = torch.cat([torch.where(labels == one)[0][:each] for one in kept]) if kept else torch.zeros(0, dtype=torch.long)
    mine = torch.where(labels == gone)[0][:each]
    return UnlearningRequest(forget=inputs[mine], forget_labels=labels[mine], retain=inputs[few], retain_labels=labels[few])


@pytest.mark.parametrize(
    "objective",
    [
        GroupSparse(forget_weight=0.5),
        GroupSparsePrototypes(forget_weight=1.0, prototype_retain_weight=0.2),
        GroupSparseConditioned(),
        GradientAscent(forget_weight=0.3),
        NegativePreference(forget_weight=1.0),
        Scrub(forget_weight=2.0, until=0.7),
    ],
    ids=lambda one: type(one).__name__,
)
def test_every_objective_forgets_a_class_and_keeps_the_rest(trained: nn.Sequential, objective: UnlearningObjective) -> None:
    network = unlearn(trained, request(0, [1, 2, 3]), objective, RECIPE).network
    assert accuracy(network, [0]) < 0.25
    assert accuracy(network, [1, 2, 3]) > 0.7


def test_a_sequence_of_requests_is_forgotten(trained: nn.Sequential) -> None:
    network = trained
    for gone, kept in ((0, [1, 2, 3]), (1, [2, 3])):
        network = unlearn(network, request(gone, kept), GroupSparse(forget_weight=0.5), RECIPE).network
    assert accuracy(network, [0, 1]) < 0.25
    assert accuracy(network, [2, 3]) > 0.9


def test_the_network_given_and_the_request_stay_as_they_are(trained: nn.Sequential) -> None:
    asked = request(0, [1, 2, 3])
    weights, samples = copy.deepcopy(trained.state_dict()), (asked.forget.clone(), asked.retain.clone())
    training = trained.training
    first, second = (unlearn(trained, asked, recipe=RECIPE) for _ in range(2))
    assert all(torch.equal(weights[name], one) for name, one in trained.state_dict().items())
    assert all(one.requires_grad for one in trained.parameters())
    assert trained.training == training
    assert torch.equal(samples[0], asked.forget)
    assert torch.equal(samples[1], asked.retain)
    assert first.losses == second.losses, "the same request gives the same network (invariant Determinism)"
    assert all(torch.equal(one, two) for one, two in zip(first.network.parameters(), second.network.parameters(), strict=True))


def test_only_feed_forward_weights_change_and_by_the_rank_at_most(trained: nn.Sequential) -> None:
    done = unlearn(trained, request(0, [1, 2, 3]), recipe=RECIPE)
    changes = {name: one - two for (name, one), two in zip(done.network.state_dict().items(), trained.state_dict().values(), strict=True)}
    changed = {name for name, change in changes.items() if change.abs().sum() > 0}
    assert changed == {f"0.layers.{place}.{layer}.weight" for place in range(2) for layer in ("wide", "narrow")}
    assert all(torch.linalg.matrix_rank(changes[name], atol=1e-5) <= 2 for name in changed)
    first = sum(changes[f"0.layers.0.{layer}.weight"].square().sum() for layer in ("wide", "narrow")) ** 0.5
    assert done.block_changes[0] == pytest.approx(float(first), rel=1e-4)


def test_sparsity_leaves_blocks_as_they_are(trained: nn.Sequential) -> None:
    loose, tight = (
        unlearn(trained, request(0, [1, 2, 3]), GroupSparse(forget_weight=0.5, sparsity=weight), RECIPE).block_changes
        for weight in (0.0, 1.0)
    )
    assert sum(tight) < 0.5 * sum(loose)


def test_nothing_to_keep_is_allowed(trained: nn.Sequential) -> None:
    assert accuracy(unlearn(trained, request(0, []), recipe=RECIPE).network, [0]) < 0.25


def test_mixed_precision_forgets_too(trained: nn.Sequential) -> None:
    done = unlearn(trained, request(0, [1, 2, 3]), GroupSparse(forget_weight=0.5), replace(RECIPE, mixed_precision=True))
    assert accuracy(done.network, [0]) < 0.25
    assert next(done.network.parameters()).dtype == torch.float32


def test_prototypes_are_the_means_of_classes_by_hand() -> None:
    features = torch.tensor([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0]])
    old = Before.from_outputs(features, torch.zeros(3, 2), torch.tensor([7, 7, 1]))
    assert old.prototypes.tolist() == [[2.0, 1.0], [2.0, 1.0], [5.0, 5.0]]
    tokens = torch.stack([features, torch.full((3, 2), 9.0)], dim=1)
    answered = Before.from_outputs(tokens, torch.zeros(3, 2, 2), torch.tensor([[7, -100], [7, -100], [7, 7]]))
    assert answered.prototypes.tolist() == [[2.0, 1.0], [2.0, 1.0], [7.0, 7.0]]


def test_layers_can_be_named(trained: nn.Sequential) -> None:
    done = unlearn(trained, request(0, [1, 2, 3]), recipe=RECIPE, blocks=[["0.layers.1.mixing"]])
    assert len(done.block_changes) == 1
    with pytest.raises(ValueError, match="no linear layer"):
        unlearn(trained, request(0, [1]), recipe=RECIPE, blocks=[["0.layers.1"]])
    with pytest.raises(ValueError, match="name the layers"):
        unlearn(nn.Sequential(nn.Linear(6, 6), nn.Linear(6, CLASSES)), request(0, [1]), recipe=RECIPE)


def test_a_request_that_cannot_be_is_refused() -> None:
    rows, labels = made(8, 0)
    with pytest.raises(ValueError, match="nothing to forget"):
        UnlearningRequest(forget=rows[:0], forget_labels=labels[:0], retain=rows, retain_labels=labels)
    with pytest.raises(ValueError, match="give one label an input"):
        UnlearningRequest(forget=rows[:1], forget_labels=labels[:1], retain=rows[1:3], retain_labels=labels[1:2])
    with pytest.raises(ValueError, match="give one label an input"):
        UnlearningRequest(forget=rows[:2], forget_labels=labels[:1], retain=rows[1:3], retain_labels=labels[1:3])
    with pytest.raises(ValueError, match="differ in shape"):
        UnlearningRequest(forget=rows[:1], forget_labels=labels[:1], retain=rows[1:3, :4], retain_labels=labels[1:3])
    with pytest.raises(ValueError, match="to be forgotten and to be kept"):
        UnlearningRequest(forget=rows[:1], forget_labels=labels[:1], retain=rows[1:], retain_labels=labels[1:])


@pytest.mark.parametrize("wrong", [{"rank": 0}, {"steps": 0}, {"learning_rate": 0.0}, {"retain_batch": 0}, {"weight_decay": -1.0}])
def test_a_recipe_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        UnlearningRecipe(**wrong)  # type: ignore[arg-type]


def test_a_training_that_runs_away_is_named(trained: nn.Sequential) -> None:
    with pytest.raises(FloatingPointError, match="smaller learning rate"):
        unlearn(trained, request(0, [1]), GradientAscent(forget_weight=1e30), replace(RECIPE, learning_rate=1e30))
