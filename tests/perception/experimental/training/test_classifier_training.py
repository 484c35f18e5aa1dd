from __future__ import annotations

import copy
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from lifelong.perception import (
    FMFP,
    Bootstrapping,
    ClassifierRecipe,
    CrossEntropy,
    DynamicsAwareLoss,
    GeneralisedCrossEntropy,
    Mixup,
    Objective,
    OpenMix,
    OutlierExposure,
    prune_smallest,
    train_classifier,
)
from lifelong.perception.experimental.training.classifier_training import learning_rate

OUTLIERS = torch.tensor([[2.0, -2.0], [-2.0, 2.0]])  # on neither side of the line
OBJECTIVES: list[Objective] = [
    CrossEntropy(),
    Mixup(),
    OutlierExposure(OUTLIERS),
    OpenMix(OUTLIERS),
    OpenMix(OUTLIERS, manifold=True),
    GeneralisedCrossEntropy(),
    Bootstrapping(),
    DynamicsAwareLoss(),
]
QUICK = ClassifierRecipe(epochs=6, batch_size=16, learning_rate=0.1, weight_decay=0.0)


class Fixed(nn.Module):
    """Gives the same logits whatever it is asked."""

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits).log())

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(inputs), -1)


def samples(count: int = 120) -> tuple[torch.Tensor, torch.Tensor]:
    """Two groups that a line divides."""
    draw = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 2
    return 0.5 * torch.randn(count, 2, generator=draw) + (2 * labels[:, None] - 1), labels


def network(classes: int = 2) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, classes))


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("recipe", [QUICK, replace(QUICK, sharpness=0.05, average_from=0.6, prune=0.2)], ids=["plain", "all"])
def test_every_objective_learns_repeats_itself_and_leaves_its_input(objective: Objective, recipe: ClassifierRecipe) -> None:
    inputs, labels = samples()
    given = network(2 + objective.extra_classes)
    before = copy.deepcopy(given.state_dict()), inputs.clone()
    trained = train_classifier(given, inputs, labels, recipe, objective)
    again = train_classifier(given, inputs, labels, recipe, objective)
    with torch.no_grad():
        assert (trained(inputs)[:, :2].argmax(1) == labels).float().mean() > 0.9
        assert torch.equal(trained(inputs), again(inputs))
    assert not trained.training
    assert torch.equal(before[1], inputs)
    assert all(torch.equal(value, given.state_dict()[name]) for name, value in before[0].items())


def test_a_sharp_step_is_taken_with_the_gradient_from_the_worst_place_nearby() -> None:
    # f(w) = CE of logits (w x, 0): one step by hand for one weight.
    line = nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        line.weight.copy_(torch.tensor([[1.0], [0.0]]))
    inputs, labels = torch.tensor([[2.0]]), torch.tensor([1])
    recipe = ClassifierRecipe(epochs=1, learning_rate=0.5, momentum=0.0, weight_decay=0.0, sharpness=0.3)
    trained = train_classifier(line, inputs, labels, recipe)
    up = 0.3 / math.sqrt(2)  # the gradient points along (1, -1)
    chance = 1 / (1 + math.exp(-2 * (1 + 2 * up)))
    expected = [1 - 0.5 * 2 * chance, 0.5 * 2 * chance]
    assert trained.weight[:, 0].tolist() == pytest.approx(expected, rel=1e-5)  # type: ignore[index]


def test_the_average_is_that_of_the_late_epochs() -> None:
    inputs, labels = samples(32)
    line = nn.Linear(2, 2)
    recipe = replace(QUICK, epochs=4, batch_size=32, average_from=0.5, momentum=0.0)
    late = []
    weights = line.weight.detach().clone().requires_grad_()
    bias = line.bias.detach().clone().requires_grad_()
    for epoch in range(4):
        loss = nn.functional.cross_entropy(inputs @ weights.T + bias, labels)
        gradients = torch.autograd.grad(loss, [weights, bias])
        rate = learning_rate(recipe, epoch / 4)
        weights, bias = ((p - rate * g).detach().requires_grad_() for p, g in zip((weights, bias), gradients, strict=True))
        late.append(weights.detach())
    trained = train_classifier(line, inputs, labels, recipe)
    torch.testing.assert_close(trained.weight, (late[2] + late[3]) / 2, atol=1e-5, rtol=1e-4)


def test_learning_rate_golden() -> None:
    assert learning_rate(QUICK, 0.0) == 0.1
    assert learning_rate(QUICK, 0.5) == pytest.approx(0.05)
    assert learning_rate(FMFP, 0.3) == pytest.approx(0.075)
    assert learning_rate(FMFP, 0.6) == learning_rate(FMFP, 0.9) == pytest.approx(0.05)


def test_pruning_clears_the_smallest_of_all_matrices_together() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, -0.1], [0.2, 3.0]]))
        model[1].weight.copy_(torch.tensor([[-0.3, 4.0]]))
        model[1].bias.fill_(0.01)
    prune_smallest(model, 0.5)
    assert model[0].weight.tolist() == [[1.0, 0.0], [0.0, 3.0]]
    assert model[1].weight.tolist() == [[0.0, 4.0]]
    assert model[1].bias.item() == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [({"epochs": 0}, "above 0"), ({"prune": 1.0}, "prune"), ({"average_from": 0.0}, "average_from"), ({"sharpness": -1.0}, "sharpness")],
)
def test_a_recipe_out_of_range_is_refused(values: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ClassifierRecipe(**values)  # type: ignore[arg-type]


def test_bad_samples_are_refused() -> None:
    inputs, labels = samples(8)
    for bad, some in ((inputs * math.nan, labels), (inputs[:0], labels[:0]), (inputs, labels[:3])):
        with pytest.raises(ValueError, match="one finite input"):
            train_classifier(network(), bad, some, QUICK)
    with pytest.raises(ValueError, match="no outliers"):
        OpenMix(OUTLIERS[:0])
    with pytest.raises(TypeError, match="Sequential"):
        train_classifier(Fixed([1.0, 1.0, 1.0]), inputs, labels, QUICK, OpenMix(OUTLIERS, manifold=True))
    with pytest.raises(ValueError, match="q runs"):
        DynamicsAwareLoss(0.6, 0.9)
