from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from lifelong.learners.adapters.lora import answer_loss


def test_the_loss_is_the_mean_over_answer_tokens_by_hand() -> None:
    import torch

    # Three words, hidden size 2, a head with rows (1, 0), (0, 1), (0, 0).
    head = torch.nn.Linear(2, 3, bias=False)
    head.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    hidden = torch.tensor([[[9.0, 9.0], [1.0, 0.0], [0.0, 2.0], [5.0, 5.0]]])
    network = SimpleNamespace(base_model=lambda **_: SimpleNamespace(last_hidden_state=hidden), get_output_embeddings=lambda: head)
    labels = torch.tensor([[-100, -100, 0, 1]])
    loss = answer_loss(network, labels, labels, labels)
    # -ln softmax(1, 0, 0)[0] and -ln softmax(0, 2, 0)[1]: 0.5514 and 0.2395.
    first, second = math.log(math.e + 2) - 1, math.log(math.e**2 + 2) - 2
    assert loss.item() == pytest.approx((first + second) / 2, abs=1e-6)
    assert loss.item() == pytest.approx(0.39548, abs=1e-4)
    assert answer_loss(network, labels, labels, labels, items=4).item() == pytest.approx((first + second) / 4, abs=1e-6)
