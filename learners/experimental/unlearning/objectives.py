"""What a request to unlearn minimises: GS-LoRA and GS-LoRA++, and what they are compared with.

All see the same: answers on samples to forget and on samples to keep, beside those of the network before the request.
Logits are `(n, classes)` with labels `(n,)`, or `(n, tokens, classes)` with labels `(n, tokens)`; -100 marks what is no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

Groups = Sequence[Sequence["Tensor"]]
"""The trained matrices of each block."""
IGNORED = -100
"""The label of a position that is no answer."""


@dataclass(frozen=True, kw_only=True)
class BatchOutputs:
    """A batch and what the network says to it; `n` may be 0."""

    labels: Tensor
    """`(n,)` or `(n, tokens)`."""
    logits: Tensor
    """Of the network as it is now."""
    reference: Tensor
    """Of the network before the request, shaped like `logits`."""
    features: Tensor
    """What the network's last layer reads `(n, d)`; for tokens the mean over the answer's."""
    prototypes: Tensor
    """Mean features of each sample's class before the request `(n, d)`."""


class UnlearningObjective(Protocol):
    """What is minimised over the adapter's matrices."""

    def loss(self, forget: BatchOutputs, retain: BatchOutputs, groups: Groups, done: float) -> Tensor:
        """A scalar; `done` is the share of the steps taken, in [0, 1)."""


@dataclass(frozen=True, kw_only=True)
class GroupSparse:
    """GS-LoRA: `forget_weight ReLU(bound - L_forget) + L_retain + sparsity sum_g ||theta_g||`.

    Zhao et al. 2024, "Continual Forgetting for Pre-trained Vision Models", equations 5 to 8, https://arxiv.org/abs/2403.11530. There the
    bound holds the mean over the
    batch; here it holds each sample, so that none stays known behind another that is pushed far.
    """

    forget_weight: float = 0.2
    """Beta: how much forgetting counts against keeping."""
    bound: float = 10.0
    """BND in nats: a sample whose loss is above it is forgotten and pushed no further."""
    sparsity: float = 1e-4
    """Alpha: what the norm of a block's matrices costs; large enough, blocks that do not matter stay as they are."""

    def loss(self, forget: BatchOutputs, retain: BatchOutputs, groups: Groups, done: float) -> Tensor:
        """Mean over the batch."""
        forgetting = bounded(sample_losses(forget.logits, forget.labels), self.bound)
        return self.forget_weight * forgetting + mean(sample_losses(retain.logits, retain.labels)) + self.sparsity * group_norm(groups)


@dataclass(frozen=True, kw_only=True)
class GroupSparsePrototypes(GroupSparse):
    """GS-LoRA++: features of what is to be forgotten leave their class's prototype, all others stay at theirs.

    Zhao et al. 2025, "Practical Continual Forgetting for Pre-trained Vision Models", https://arxiv.org/abs/2501.09705:
    `+ prototype_forget_weight ReLU(prototype_bound - KL_forget) + prototype_retain_weight KL_retain`.
    """

    prototype_forget_weight: float = 0.02
    """w_f."""
    prototype_bound: float = 18.0
    """BND_p in nats; how far features can be depends on their scale."""
    prototype_retain_weight: float = 1.0
    """w_r."""

    def loss(self, forget: BatchOutputs, retain: BatchOutputs, groups: Groups, done: float) -> Tensor:
        """Mean over the batch."""
        away = bounded(prototype_divergence(forget.features, forget.prototypes), self.prototype_bound)
        drift = mean(prototype_divergence(retain.features, retain.prototypes))
        return super().loss(forget, retain, groups, done) + self.prototype_forget_weight * away + self.prototype_retain_weight * drift


@dataclass(frozen=True, kw_only=True)
class GroupSparseConditioned(GroupSparsePrototypes):
    """GS-LoRA++ towards what the old network would say if what is forgotten were no answer; the target is an addition of this package.

    `conditioned_weight (D_forget + D_retain) + L_retain + prototype_retain_weight KL_retain + sparsity sum_g ||theta_g||` unless weights
    of the paper's forget terms are given. `D` is `T^2 KL(target || new)` at temperature `T`; the target is the old answer in which
    forgotten classes have the lowest logit of their row, or for answers of tokens, in which a forgotten answer's tokens have.
    That is about what a network retrained without them says. Unlike a push away it has an end, it says what to answer instead, and it
    holds the logits of classes without any sample at hand where they were. Every sample, kept ones included, is trained
    with the class removed, so that texts which were not at hand forget it as well.
    """

    forget_weight: float = 0.0
    """Of the bounded push away; the target makes it needless."""
    prototype_forget_weight: float = 0.0
    """Of features' bounded push away."""
    conditioned_weight: float = 10.0
    """Of both divergences."""
    temperature: float = 2.0
    """`T`: the higher, the more the unlikely classes count."""
    gone: tuple[int, ...] = ()
    """Classes of earlier requests, held down too, lest they come back; answers of tokens pass them over."""

    def loss(self, forget: BatchOutputs, retain: BatchOutputs, groups: Groups, done: float) -> Tensor:
        """Mean over the batch."""
        if forget.labels.dim() == 1:
            # Classes of earlier requests stay held down: training for this one would let them come back.
            gone = sorted({*self.gone, *forget.labels.tolist()})
            targets = [held_down(one.reference, gone) for one in (forget, retain)]
        else:
            targets = [without_answers(forget.reference, forget.labels), retain.reference]
        apart = [
            mean(distillation(one.logits, target, one.labels, self.temperature))
            for one, target in zip((forget, retain), targets, strict=True)
        ]
        return super().loss(forget, retain, groups, done) + self.conditioned_weight * sum(apart)


@dataclass(frozen=True, kw_only=True)
class GradientAscent:
    """`L_retain - forget_weight L_forget`, without a bound. Yao et al. 2023, "Large Language Model Unlearning",
    https://arxiv.org/abs/2310.10683.
    """

    forget_weight: float = 0.2
    """How much forgetting counts."""

    def loss(self, forget: BatchOutputs, retain: BatchOutputs, groups: Groups, done: float) -> Tensor:
        """Mean over the batch."""
        return mean(sample_losses(retain.logits, retain.labels)) - self.forget_weight * mean(sample_losses(forget.logits, forget.labels))


@dataclass(frozen=True, kw_only=True)
class NegativePreference:
    """NPO with a retain term: gradient ascent whose force fades as the answer becomes unlikely.

    Zhang et al. 2024, "Negative Preference Optimization: From Catastrophic Collapse to Effective Unlearning", equation 3,
    https://arxiv.org/abs/2404.05868.
    """

    forget_weight: float = 1.0
    """How much forgetting counts."""
    temperature: float = 0.1
    """Beta: near 0 it is gradient ascent."""

    def loss(self, forget: BatchOutputs, retain: BatchOutputs, groups: Groups, done: float) -> Tensor:
        """Mean over the batch."""
        now, before = (sample_losses(logits, forget.labels) for logits in (forget.logits, forget.reference))
        kept = mean(sample_losses(retain.logits, retain.labels))
        return kept + self.forget_weight * mean(negative_preference(now, before, self.temperature))


@dataclass(frozen=True, kw_only=True)
class Scrub:
    """SCRUB: away from the old network's answers on what is to be forgotten, towards them on what is kept; then only the latter.

    Kurmanji et al. 2023, "Towards Unbounded Machine Unlearning", https://arxiv.org/abs/2302.09880. There steps of either kind alternate;
    here they are one step.
    """

    forget_weight: float = 0.2
    """How much the steps away count."""
    distilled: float = 1.0
    """Alpha: weight of the divergence on kept samples beside their cross-entropy."""
    until: float = 0.5
    """Share of the steps after which nothing is pushed away any more."""
    temperature: float = 2.0
    """Of both softmaxes."""

    def loss(self, forget: BatchOutputs, retain: BatchOutputs, groups: Groups, done: float) -> Tensor:
        """Mean over the batch."""
        near = mean(distillation(retain.logits, retain.reference, retain.labels, self.temperature))
        kept = mean(sample_losses(retain.logits, retain.labels)) + self.distilled * near
        if done >= self.until:
            return kept
        return kept - self.forget_weight * mean(distillation(forget.logits, forget.reference, forget.labels, self.temperature))


def sample_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy in nats of each sample `(n,)`, the mean over its answer's tokens where there are several."""
    from torch.nn.functional import cross_entropy

    losses = cross_entropy(logits.float().flatten(0, -2), labels.flatten(), ignore_index=IGNORED, reduction="none")
    return _per_sample(losses.view(labels.shape), labels)


def bounded(values: Tensor, bound: float) -> Tensor:
    """Mean of `ReLU(bound - value)`; what lies above the bound counts nothing and is pushed nowhere."""
    return mean((bound - values).relu())


def group_norm(groups: Groups) -> Tensor:
    """`sum_g ||theta_g||_2`, each group's matrices as one vector; its gradient at a group of zeros is zero."""
    import torch

    norm = torch.linalg.vector_norm
    return torch.stack([norm(torch.stack([norm(matrix) for matrix in group])) for group in groups]).sum()


def prototype_divergence(features: Tensor, prototypes: Tensor) -> Tensor:
    """`KL(softmax(prototype) || softmax(feature))` in nats `(n,)`, over the feature's dimensions."""
    there, here = prototypes.float().log_softmax(-1), features.float().log_softmax(-1)
    return (there.exp() * (there - here)).sum(-1)


def negative_preference(losses: Tensor, reference: Tensor, temperature: float) -> Tensor:
    """`-2 / beta log sigmoid(-beta log(p / p_reference))` `(n,)`, from losses `-log p`."""
    from torch.nn.functional import softplus

    # -log sigmoid(-x) = softplus(x), which overflows for no x.
    return 2 / temperature * softplus(temperature * (reference - losses))


def distillation(logits: Tensor, reference: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """`T^2 KL(softmax(reference / T) || softmax(logits / T))` in nats `(n,)`, mean over the answer's tokens where there are several."""
    there, here = ((one.float() / temperature).log_softmax(-1) for one in (reference, logits))
    return temperature**2 * _per_sample((there.exp() * (there - here)).sum(-1), labels)


def without_answers(logits: Tensor, labels: Tensor) -> Tensor:
    """A copy in which the label of each row has the row's lowest logit."""
    # `IGNORED` is negative and no place in a row; what its rows become is masked by whoever averages.
    return logits.scatter(-1, labels.clamp_min(0).unsqueeze(-1), logits.amin(-1, keepdim=True))


def held_down(logits: Tensor, gone: Sequence[int]) -> Tensor:
    """A copy in which some classes have the lowest logit of their row."""
    held = logits.clone()
    held[..., list(gone)] = logits.amin(-1, keepdim=True)
    return held


def mean(values: Tensor) -> Tensor:
    """The mean, 0 without values."""
    # `Tensor.mean` of nothing is nan, which would end a training whose batch holds no kept sample.
    return values.sum() / max(1, values.numel())


def _per_sample(values: Tensor, labels: Tensor) -> Tensor:
    answered = labels != IGNORED
    if labels.dim() == 1:
        return values
    return (values * answered).sum(-1) / answered.sum(-1).clamp_min(1)
