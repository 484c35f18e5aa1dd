"""What a classifier is trained on so that its confidence can be relied upon: plain, mixed, exposed, or proof against noise.

An `Objective` gives the loss of one batch. It sees the network and not only its logits, because some mix inputs or hidden
layers first, and the share of the training that is done, because some change on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn


class Objective(Protocol):
    """The loss of a batch."""

    @property
    def extra_classes(self) -> int:
        """Outputs that the network needs beyond the classes; they come last and are dropped at test time."""

    def loss(self, network: nn.Module, inputs: Tensor, labels: Tensor, done: float, draw: np.random.Generator) -> Tensor:
        """A scalar. `inputs` `(n, ...)`, `labels` `(n,)`, `done` in [0, 1) is the share of all steps taken; chance comes from `draw`."""


class CrossEntropy:
    """Cross-entropy in nats; the plain baseline, of no paper."""

    extra_classes = 0

    def loss(self, network: nn.Module, inputs: Tensor, labels: Tensor, done: float, draw: np.random.Generator) -> Tensor:
        """Mean over the batch."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(network(inputs), labels)


class Mixup:
    """Cross-entropy on convex combinations of pairs, `lam ~ Beta(alpha, alpha)` (Zhang et al. 2018, "mixup: Beyond Empirical Risk
    Minimization", https://arxiv.org/abs/1710.09412).
    """

    extra_classes = 0

    def __init__(self, alpha: float = 0.3) -> None:
        self.alpha = alpha

    def loss(self, network: nn.Module, inputs: Tensor, labels: Tensor, done: float, draw: np.random.Generator) -> Tensor:
        """Mean over the batch; one `lam` a batch."""
        import torch
        from torch.nn.functional import cross_entropy

        lam = float(draw.beta(self.alpha, self.alpha))
        others = torch.from_numpy(draw.permutation(len(inputs))).to(inputs.device)
        logits = network(lam * inputs + (1 - lam) * inputs[others])
        return lam * cross_entropy(logits, labels) + (1 - lam) * cross_entropy(logits, labels[others])


class OutlierExposure:
    """Cross-entropy, and on outliers cross-entropy to the uniform distribution (Hendrycks et al. 2019, "Deep Anomaly Detection with
    Outlier Exposure", weight 0.5, https://arxiv.org/abs/1812.04606).

    `outliers` `(m, ...)` are inputs of no class.
    """

    extra_classes = 0

    def __init__(self, outliers: Tensor, weight: float = 0.5) -> None:
        self.outliers = _some(outliers)
        self.weight = weight

    def loss(self, network: nn.Module, inputs: Tensor, labels: Tensor, done: float, draw: np.random.Generator) -> Tensor:
        """Mean over the batch, with as many outliers drawn as there are inputs."""
        import torch
        from torch.nn.functional import cross_entropy

        # In one pass, so that batch norms see in training the mixture that their running statistics keep.
        logits, outliers = network(torch.cat([inputs, _drawn(self.outliers, inputs, draw)])).chunk(2)
        uniform: Tensor = (outliers.logsumexp(-1) - outliers.mean(-1)).mean()
        return cross_entropy(logits, labels) + self.weight * uniform


class OpenMix:
    """Cross-entropy, and on mixtures with outliers a soft label between the class and one class more.

    Zhu et al. 2023, "OpenMix: Exploring Outlier Samples for Misclassification Detection", https://arxiv.org/abs/2303.17093: with `lam ~
    Beta(10, 10)` drawn for
    the batch and `x_m = lam x + (1 - lam) o`, the loss is `CE(x, y) + w (lam CE(x_m, y) + (1 - lam) CE(x_m, K + 1))`, w = 1.
    `manifold` mixes a random layer of a `Sequential` network instead of its input.
    """

    extra_classes = 1

    def __init__(self, outliers: Tensor, weight: float = 1.0, alpha: float = 10.0, *, manifold: bool = False) -> None:
        self.outliers = _some(outliers)
        self.weight = weight
        self.alpha = alpha
        self.manifold = manifold

    def loss(self, network: nn.Module, inputs: Tensor, labels: Tensor, done: float, draw: np.random.Generator) -> Tensor:
        """Mean over the batch, with as many outliers drawn as there are inputs."""
        import torch
        from torch.nn.functional import cross_entropy

        lam = float(draw.beta(self.alpha, self.alpha))
        first, rest = self._split(network, draw)
        hidden, outliers = first(torch.cat([inputs, _drawn(self.outliers, inputs, draw)])).chunk(2)
        logits, mixed = rest(torch.cat([hidden, lam * hidden + (1 - lam) * outliers])).chunk(2)
        extra = torch.full_like(labels, logits.shape[-1] - 1)
        return cross_entropy(logits, labels) + self.weight * (lam * cross_entropy(mixed, labels) + (1 - lam) * cross_entropy(mixed, extra))

    def _split(self, network: nn.Module, draw: np.random.Generator) -> tuple[nn.Module, nn.Module]:
        from torch import nn

        if not self.manifold:
            return nn.Identity(), network
        if not isinstance(network, nn.Sequential):
            raise TypeError(
                f"manifold mixing needs a Sequential network to cut in two, not {type(network).__name__}; mix the inputs instead"
            )
        place = int(draw.integers(len(network)))
        return network[:place], network[place:]


class GeneralisedCrossEntropy:
    """`(1 - p_y^q) / q`: cross-entropy as q goes to 0, mean absolute error at 1 (Zhang & Sabuncu 2018, "Generalized Cross Entropy Loss
    for Training Deep Neural Networks with Noisy Labels", equation 6, q = 0.7, https://arxiv.org/abs/1805.07836).
    """

    extra_classes = 0

    def __init__(self, q: float = 0.7) -> None:
        if q <= 0:
            raise ValueError(f"q is {q}; it must be above 0 (use CrossEntropy for its limit)")
        self.q = q

    def loss(self, network: nn.Module, inputs: Tensor, labels: Tensor, done: float, draw: np.random.Generator) -> Tensor:
        """Mean over the batch."""
        return generalised_cross_entropy(network(inputs), labels, self.q).mean()


class Bootstrapping:
    """Cross-entropy to `beta y + (1 - beta) p`, its own prediction (Reed et al. 2015, "Training Deep Neural Networks on Noisy Labels
    with Bootstrapping", soft form, beta = 0.95, https://arxiv.org/abs/1412.6596).
    """

    extra_classes = 0

    def __init__(self, beta: float = 0.95) -> None:
        self.beta = beta

    def loss(self, network: nn.Module, inputs: Tensor, labels: Tensor, done: float, draw: np.random.Generator) -> Tensor:
        """Mean over the batch; the prediction that serves as target is trained through as well."""
        from torch.nn.functional import cross_entropy

        logits = network(inputs)
        return self.beta * cross_entropy(logits, labels) + (1 - self.beta) * entropy(logits).mean()


class DynamicsAwareLoss:
    """Fit first, be robust later: `GCE_q(t) + lam(t) H(p) / (q(t) ln K)` (Li et al. 2023, "Dynamics-Aware Loss for Learning with Label
    Noise", q from 0.6 to 1.5, https://arxiv.org/abs/2303.11562).

    q rises linearly; `lam(t) = max(0, (t - t0) / (1 - t0))` from the time t0 at which q reaches 1.
    """

    extra_classes = 0

    def __init__(self, q_start: float = 0.6, q_end: float = 1.5) -> None:
        if not 0 < q_start <= 1 < q_end:
            raise ValueError(f"q runs from {q_start} to {q_end}; it must start in (0, 1] and end above 1")
        self.q_start = q_start
        self.q_end = q_end

    def schedule(self, done: float) -> tuple[float, float]:
        """`q` and `lam` after this share of the training."""
        turn = (1 - self.q_start) / (self.q_end - self.q_start)
        return self.q_start + (self.q_end - self.q_start) * done, max(0.0, (done - turn) / (1 - turn))

    def loss(self, network: nn.Module, inputs: Tensor, labels: Tensor, done: float, draw: np.random.Generator) -> Tensor:
        """Mean over the batch."""
        logits = network(inputs)
        q, lam = self.schedule(done)
        fit = generalised_cross_entropy(logits, labels, q).mean()
        return fit + lam * entropy(logits).mean() / (q * float(np.log(max(2, logits.shape[-1]))))


def generalised_cross_entropy(logits: Tensor, labels: Tensor, q: float) -> Tensor:
    """`(1 - p_y^q) / q` `(n,)` of logits `(n, classes)`; in log space, so that its gradient is finite at p_y = 0."""
    logprob = (logits.gather(-1, labels[:, None])[:, 0] - logits.logsumexp(-1)) * q
    return -logprob.expm1() / q


def entropy(logits: Tensor) -> Tensor:
    """Entropy of the softmax in nats `(n,)`."""
    logprobs = logits.log_softmax(-1)
    return -(logprobs.exp() * logprobs).sum(-1)


def _drawn(outliers: Tensor, inputs: Tensor, draw: np.random.Generator) -> Tensor:
    import torch

    return outliers[torch.from_numpy(draw.integers(len(outliers), size=len(inputs)))].to(inputs)


def _some(outliers: Tensor) -> Tensor:
    if not len(outliers):
        raise ValueError("no outliers to train with; give at least one, or corrupt some of the known samples")
    return outliers
