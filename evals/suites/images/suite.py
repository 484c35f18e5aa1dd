"""Training for reliable confidence where the encoder trains too: `lifelong bench images`, on CIFAR-10.

A residual network is trained on all ten classes, and on six of them with the other four unknown at test time. FMFP, OpenMix and AoP
stand beside plain training, and mixup and outlier exposure as contrasts, all of the same recipe and the same epochs. Nothing
is chosen on the test images, nor on any others: every setting is the paper's, its schedule scaled to the epochs. Outliers to
train with are corruptions of the known training images, never images of the unknown classes.

On a GPU it runs at full size; on a CPU at a reduced one, which the name of the case says.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....core import DataMissing
from ....learners import image_network
from ....learners.experimental.images.views import shifted
from ....metrics.detection import auroc, expected_calibration_error, failure_aurc, fpr_at_95_id_tpr
from ....perception import (
    ClassifierRecipe,
    CrossEntropy,
    Mixup,
    Objective,
    OpenMix,
    OutlierExposure,
    energy_confidence,
    image_outliers,
    softmax_confidence,
    train_classifier,
)
from ...data.images import ImageData, Images, cifar10, sample_images
from ...data.seeded import Metrics, seeded_rows
from ...data.worker_pool import compute_device
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

KNOWN = 6
"""Classes that are known where some are not."""
PLAIN = "plain"
BATCH = 1000
"""Images in a batch of predictions."""


@dataclass(frozen=True, kw_only=True)
class StreamScale:
    """How large the network, its data and its training are."""

    name: str
    """What the case is called after."""
    images: int
    """To learn from, of each class."""
    test_images: int
    """To be measured on, of each class."""
    width: int
    """Channels of the first stage."""
    blocks: tuple[int, ...]
    """Residual blocks of each stage."""
    stride: int
    """Of the first convolution."""
    recipe: ClassifierRecipe
    """Of plain training."""
    contrasts: bool = True
    """Whether methods that are neither ours nor plain run as well."""


FULL = StreamScale(
    name="full", images=5000, test_images=1000, width=64, blocks=(2, 2, 2, 2), stride=1, recipe=ClassifierRecipe(epochs=20, batch_size=256)
)
REDUCED = StreamScale(
    name="reduced",
    images=1000,
    test_images=1000,
    width=24,
    blocks=(1, 1, 1),
    stride=2,
    recipe=ClassifierRecipe(epochs=8, batch_size=64, learning_rate=0.05),
    contrasts=False,
)
QUICK = StreamScale(
    name="tiny", images=40, test_images=20, width=8, blocks=(1, 1), stride=2, recipe=ClassifierRecipe(epochs=2, batch_size=64)
)


@dataclass(frozen=True, kw_only=True)
class ImageMethod:
    """A way to train: what it changes of plain training."""

    recipe: Callable[[ClassifierRecipe], ClassifierRecipe] = lambda recipe: recipe
    """From the plain recipe to its own."""
    objective: Callable[[Tensor], Objective] = lambda _: CrossEntropy()
    """From outliers `(m, 3, height, width)` to what is fitted."""


METHODS: Mapping[str, ImageMethod] = {
    PLAIN: ImageMethod(),
    "mixup": ImageMethod(objective=lambda _: Mixup(alpha=0.3)),
    "outlier_exposure": ImageMethod(objective=OutlierExposure),
    # Steps against the worst weights within 0.05, averaged over the last 40 % of the epochs at half the learning rate.
    "lifelong_fmfp": ImageMethod(recipe=lambda recipe: replace(recipe, sharpness=0.05, average_from=0.6)),
    "lifelong_openmix": ImageMethod(objective=OpenMix),
    # No code and no share were published: the averaging of FMFP, and a share that one cut without retraining is known to bear.
    "lifelong_aop": ImageMethod(recipe=lambda recipe: replace(recipe, average_from=0.6, prune=0.2)),
}


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Both cases, every method, every seed. Raises `DataMissing` where no data directory is named."""
    if data is None:
        raise DataMissing(
            "suite images reads cifar10/cifar10_jpeg.zip (lifelong bench --list); name their directory with --data or LIFELONG_DATA"
        )
    device = compute_device()
    scale = QUICK if quick else FULL if device.type == "cuda" else REDUCED
    images = cifar10(data)
    rows: list[Row] = []
    for known in (len(images.names), KNOWN):
        unknown = len(images.names) - known
        case = f"cifar10 {scale.name}, {known} known" + (f" and {unknown} unknown classes" if unknown else " classes")
        measured = partial(measure, images, known, scale, device=device, only=only)
        rows += seeded_rows(case, measured, seeds, n=scale.test_images * len(images.names), only=only)
    return rows


def measure(images: ImageData, known: int, scale: StreamScale, seed: int, device: torch.device, only: RowFilter = ALL_ROWS) -> Metrics:
    """The figures of one seed, which draws the known classes, the images, the weights and their order; all methods share the draw."""
    draw = np.random.default_rng(seed)
    classes = np.sort(draw.permutation(len(images.names))[:known])
    train = sample_images(images.train, classes, scale.images, draw)
    test = sample_images(images.test, classes, scale.test_images, draw)
    unknown = sample_images(images.test, np.setdiff1d(np.arange(len(images.names)), classes), scale.test_images, draw)
    labels, answers = np.searchsorted(classes, train.labels), np.searchsorted(classes, test.labels)
    outliers = _inputs(train, device, corrupt=seed)
    figures: dict[tuple[str, str], float] = {}
    for name in filter(only.wants_method, methods(scale)):
        method = METHODS[name]
        start = time.perf_counter()
        objective = method.objective(outliers)
        recipe = replace(method.recipe(scale.recipe), seed=seed)
        network = image_network(known + objective.extra_classes, width=scale.width, blocks=scale.blocks, stride=scale.stride, seed=seed)
        trained = _trained(network, _inputs(train, device), labels, recipe, objective, device)
        found = figures_of(logits_of(trained, test, known, device), answers, logits_of(trained, unknown, known, device))
        figures |= {(name, metric): value for metric, value in found.items()}
        figures |= {
            (name, f"{metric}_less_plain"): value - figures[PLAIN, metric]
            for metric, value in found.items()
            if name != PLAIN and only.wants_method(PLAIN)
        }
        shown = ", ".join(f"{metric} {value:.4g}" for metric, value in found.items())
        print(f"{known} known, seed {seed}, {name}: {shown} ({time.perf_counter() - start:.0f} s)", file=sys.stderr, flush=True)
    return figures


def methods(scale: StreamScale) -> list[str]:
    """What runs at this scale, plain training first."""
    return [name for name in METHODS if scale.contrasts or name == PLAIN or name.startswith("lifelong")]


def logits_of(network: nn.Module, images: Images, known: int, device: torch.device) -> Tensor:
    """Logits `(n, known)` of the known classes, on the CPU; those of a class more are dropped."""
    import torch

    inputs = _inputs(images, device)
    with torch.no_grad(), _mixed_precision(device):
        parts = [network(inputs[start : start + BATCH])[:, :known].float().cpu() for start in range(0, len(inputs), BATCH)]
    return torch.cat(parts) if parts else torch.zeros(0, known)


def figures_of(logits: Tensor, answers: NDArray[np.int64], unknown: Tensor) -> dict[str, float]:
    """Of the logits of known and of unknown images; what asks for unknown ones only where there are some."""
    confidence = softmax_confidence(logits).numpy()
    correct: NDArray[np.bool_] = logits.argmax(1).numpy() == answers
    found = {
        "accuracy": float(correct.mean()),
        "failure_aurc_x1000": 1000 * failure_aurc(confidence, correct),
        "failure_auroc": auroc(confidence[correct], confidence[~correct]),
        "expected_calibration_error": expected_calibration_error(np.clip(confidence, 0, 1), correct),
    }
    if len(unknown):
        for name, score in (("softmax", softmax_confidence), ("energy", energy_confidence)):
            known, strange = score(logits).numpy(), score(unknown).numpy()
            found[f"ood_auroc_{name}"] = auroc(known, strange)
            found[f"fpr_at_95_id_tpr_{name}"] = fpr_at_95_id_tpr(known, strange)
    return found


def _trained(
    network: nn.Module, inputs: Tensor, labels: NDArray[np.int64], recipe: ClassifierRecipe, objective: Objective, device: torch.device
) -> nn.Module:
    import torch

    targets = torch.from_numpy(labels).to(device)
    laid: Any = network.to(device)  # its stubs leave out the layout
    network = laid.to(memory_format=torch.channels_last)
    with _mixed_precision(device):
        return train_classifier(network, inputs, targets, recipe, objective, shifted)


def _inputs(images: Images, device: torch.device, corrupt: int | None = None) -> Tensor:
    """What the network reads, `(n, 3, height, width)`, mean 0 and deviation 1 over CIFAR-10; outliers made of it by the seed `corrupt`."""
    import torch

    shares = torch.from_numpy(images.pixels).permute(0, 3, 1, 2).float().div(255)
    if corrupt is not None:
        shares = image_outliers(shares, seed=corrupt)
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in ((0.491, 0.482, 0.447), (0.247, 0.243, 0.262)))
    return ((shares - mean) / deviation).to(device)


def _mixed_precision(device: torch.device) -> torch.autocast:
    """Convolutions in bfloat16, twice as fast where the processor has it; weights, norms and losses stay float32."""
    import torch

    # Without the cache, which would keep the first step's weights for as long as the training lasts.
    return torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=False)
