from __future__ import annotations

import copy
import math
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from lifelong.metrics.detection import auroc, failure_aurc
from lifelong.perception import ClassifierRecipe, TrustLoRA, energy_confidence, jensen_shannon, softmax_confidence, train_classifier
from lifelong.perception.experimental.training.trust_lora import Consistency, mixed, train_change

SHORT = ClassifierRecipe(epochs=10, batch_size=64, learning_rate=0.1, weight_decay=0.0)


def samples(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Four classes: two columns say weakly but soundly which, two say it loudly but are lost under a shift."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 4
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])[labels]
    return torch.cat([corners, 2 * corners, torch.zeros(count, 4)], 1) + 0.5 * torch.randn(count, 8, generator=random), labels


def view(batch: torch.Tensor, draw: np.random.Generator) -> torch.Tensor:
    """The loud columns are replaced by noise."""
    changed = batch.clone()
    changed[:, 2:4] = torch.from_numpy(draw.normal(size=(len(batch), 2), scale=3.0)).to(batch)
    return changed


def unknown(count: int, seed: int) -> torch.Tensor:
    inputs, _ = samples(count, seed)
    inputs[:, 4] += 3
    return inputs


@cache
def fitted() -> tuple[nn.Module, TrustLoRA]:
    torch.manual_seed(0)
    inputs, labels = samples(400, 0)
    base = train_classifier(nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4)), inputs, labels, SHORT)
    adapters = TrustLoRA(base, rank=4, recipe=SHORT)
    adapters.fit_covariate(inputs, labels, view)
    adapters.fit_semantic(inputs, labels, unknown(400, 1))
    return base, adapters


def under_shift(network: nn.Module) -> tuple[float, float]:
    """Accuracy and failure AURC on changed samples."""
    inputs, labels = samples(400, 2)
    with torch.no_grad():
        logits = network(view(inputs, np.random.default_rng(3)))
    correct = (logits.argmax(1) == labels).numpy()
    return float(correct.mean()), failure_aurc(softmax_confidence(logits).numpy(), correct)


def separation(network: nn.Module) -> float:
    with torch.no_grad():
        known, other = network(samples(400, 2)[0]), network(unknown(400, 3))
    return auroc(energy_confidence(known).numpy(), energy_confidence(other).numpy())


def test_jensen_shannon_golden() -> None:
    # Of (1, 0) and (0, 1): ln 2. Of (1, 0) and (1/2, 1/2): their mean is (3/4, 1/4).
    certain, other, even = [0.0, -1000.0], [-1000.0, 0.0], [0.0, 0.0]
    expected = (math.log(4 / 3) + 0.5 * math.log(2 / 3) + 0.5 * math.log(2)) / 2
    found = jensen_shannon(torch.tensor([[certain, other], [certain, even], [even, even]]))
    assert found.tolist() == pytest.approx([math.log(2), expected, 0.0], abs=1e-6)


def test_consistency_adds_the_divergence_of_the_views() -> None:
    inputs = torch.tensor([[[0.0, -1000.0], [-1000.0, 0.0]]])
    loss = Consistency(2.0).loss(nn.Identity(), inputs, torch.tensor([0]), 0.0, np.random.default_rng(0))
    assert loss.item() == pytest.approx(2 * math.log(2), rel=1e-5)


def test_the_covariate_adapter_helps_under_shift() -> None:
    base, adapters = fitted()
    (accuracy, risk), (adapted, less) = under_shift(base), under_shift(adapters.network(1, 0))
    assert adapted > accuracy + 0.1
    assert less < risk


def test_the_semantic_adapter_finds_the_unknown_and_a_negative_share_undoes_it() -> None:
    base, adapters = fitted()
    taken, plain, given = separation(adapters.network(0, -1)), separation(base), separation(adapters.network(0, 1))
    assert taken < plain - 0.02
    assert given > plain + 0.05


def test_both_together_keep_both() -> None:
    base, adapters = fitted()
    both = adapters.network(0.75, 0.75)
    assert under_shift(both)[0] > under_shift(base)[0] + 0.1
    assert separation(both) > separation(base) + 0.05


def test_no_share_is_the_frozen_network_and_nothing_else_changes() -> None:
    base, adapters = fitted()
    inputs, _ = samples(20, 4)
    before = copy.deepcopy(base.state_dict())
    with torch.no_grad():
        assert torch.equal(adapters.network(0, 0)(inputs), base(inputs))
        assert not torch.allclose(adapters.network(1, 1)(inputs), base(inputs))
    assert all(torch.equal(value, before[name]) for name, value in base.state_dict().items())


def test_a_change_is_of_low_rank_repeats_itself_and_leaves_statistics_frozen() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.ReLU(), nn.Linear(16, 4))
    inputs, labels = samples(64, 0)
    stacked = torch.stack([inputs, view(inputs, np.random.default_rng(0))], 1)
    recipe = ClassifierRecipe(epochs=2, batch_size=32)
    first, second = (train_change(network, stacked, labels, Consistency(), recipe, rank=2) for _ in range(2))
    assert set(first) == {"0.weight", "4.weight"}
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert all(torch.linalg.matrix_rank(change) <= 2 and change.abs().sum() > 0 for change in first.values())
    assert torch.equal(mixed(network, [first], [1.0])[1].running_mean, torch.zeros(16))  # type: ignore[index]


class Sentences(nn.Module):
    """A small transformer over token numbers with a head, as one is put on a sentence encoder; 0 is no token."""

    def __init__(self) -> None:
        from transformers import BertConfig, BertModel

        super().__init__()
        torch.manual_seed(0)
        size = {"vocab_size": 20, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
        self.encoder = BertModel(BertConfig(**size), add_pooling_layer=False)
        self.head = nn.Linear(16, 2)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        there = (tokens != 0).long()
        hidden = self.encoder(input_ids=tokens, attention_mask=there).last_hidden_state * there[..., None]
        logits: torch.Tensor = self.head(hidden.sum(1) / there.sum(1, keepdim=True).clamp_min(1))
        return logits


def without_some_tokens(tokens: torch.Tensor, draw: np.random.Generator) -> torch.Tensor:
    kept = torch.from_numpy(draw.random(tokens.shape) > 0.3)
    kept[:, 0] = True
    return tokens * kept


def test_a_transformer_over_tokens_is_adapted_as_any_network_is() -> None:
    tokens = torch.randint(1, 20, (16, 6), generator=torch.Generator().manual_seed(0))
    network = Sentences().eval()
    adapters = TrustLoRA(network, rank=2, recipe=ClassifierRecipe(epochs=3, batch_size=8, learning_rate=0.05))
    adapters.fit_covariate(tokens, tokens[:, 0] % 2, without_some_tokens)
    adapted = adapters.network(1, 0)
    changed = {name for (name, new), old in zip(adapted.named_parameters(), network.parameters(), strict=True) if not torch.equal(new, old)}
    assert "encoder.encoder.layer.1.attention.self.query.weight" in changed
    assert all(name.endswith("weight") and "Norm" not in name and "embeddings" not in name for name in changed)


def test_changes_add_up_with_their_signs() -> None:
    line = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        line.weight.copy_(torch.tensor([[1.0, 2.0]]))
    changes = [{"weight": torch.tensor([[1.0, 0.0]])}, {"weight": torch.tensor([[0.0, 4.0]])}]
    assert mixed(line, changes, [2.0, -0.5]).weight.tolist() == [[3.0, 0.0]]  # type: ignore[union-attr]


def test_bad_input_is_refused() -> None:
    inputs, labels = samples(8, 0)
    network = nn.Linear(8, 4)
    with pytest.raises(ValueError, match="covariate adapter is not trained"):
        TrustLoRA(network).network(1, 0)
    with pytest.raises(ValueError, match="no linear layer"):
        train_change(nn.Identity(), inputs, labels, Consistency())
    with pytest.raises(ValueError, match="rank is 0"):
        train_change(network, inputs, labels, Consistency(), rank=0)
    with pytest.raises(ValueError, match="one finite coefficient"):
        mixed(network, [], [math.nan])
    with pytest.raises(ValueError, match="no outliers"):
        TrustLoRA(network).fit_semantic(inputs, labels, inputs[:0])
