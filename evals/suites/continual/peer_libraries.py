"""Heads of other packages, behind the same verbs as ours: Avalanche's SLDA and replay, river's online classifiers.

Avalanche (Lomonaco et al. 2021, MIT) and river (Montiel et al. 2021, BSD-3-Clause) are no dependencies: `pip install "lifelong[peers]"`.
Both are imported by name, where they are installed and are asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Vector

BATCH, EPOCHS, RATE, DECAY = 256, 12, 0.005, 0.01
"""Of Avalanche's replay: those of `ReplayHead`."""
_OPERATORS: list[Any] = []


class PeerHead(ABC):
    """What `run_stream` asks of a head."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    @property
    def labels(self) -> Labels:
        """Class numbers seen, ascending."""
        return np.array(sorted(self._seen), dtype=np.int64)

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Learn samples."""
        self._seen |= {int(label) for label in labels}
        with _silent():
            self._learn(vectors, labels)

    @abstractmethod
    def _learn(self, vectors: Vector, labels: Labels) -> None:
        """Learn samples in the package's own way."""

    @abstractmethod
    def predict(self, vectors: Vector) -> Labels:
        """Class numbers."""

    def state(self) -> dict[str, NDArray[Any]]:
        """Not counted."""
        return {}


class AvalancheHead(PeerHead):
    """One of Avalanche's strategies, made by `strategy(package, dimensions, classes)`."""

    def __init__(self, strategy: Callable[[int, int], Any], *, classes: int, scale: float, seed: int) -> None:
        super().__init__()
        self._make, self._classes, self._scale, self._seed = strategy, classes, scale, seed
        self._strategy: Any = None

    def _learn(self, vectors: Vector, labels: Labels) -> None:
        import torch

        data = importlib.import_module("avalanche.benchmarks.utils.classification_dataset")
        benchmarks = importlib.import_module("avalanche.benchmarks")
        torch.manual_seed(self._seed + len(self._seen))
        if self._strategy is None:
            self._strategy = self._make(vectors.shape[1], self._classes)
        targets = torch.from_numpy(labels)
        samples = data._make_taskaware_tensor_classification_dataset(self._inputs(vectors), targets, task_labels=0)
        for experience in benchmarks.benchmark_from_datasets(train=[samples]).train_stream:
            self._strategy.train(experience)

    def predict(self, vectors: Vector) -> Labels:
        """The likeliest of the classes seen."""
        import torch

        strategy = self._strategy
        with torch.no_grad():
            features = strategy.model.eval()(self._inputs(vectors))
            scores = strategy.predict(features) if hasattr(strategy, "predict") else features
        return np.asarray(self.labels[scores[:, self.labels].argmax(1).numpy()])

    def _inputs(self, vectors: Vector) -> Any:
        import torch

        return torch.from_numpy(np.float32(self._scale) * vectors)


class RiverHead(PeerHead):
    """One of river's classifiers, a sample at a time."""

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        self._classifier = classifier

    def _learn(self, vectors: Vector, labels: Labels) -> None:
        for row, label in zip(vectors.tolist(), labels.tolist(), strict=True):
            self._classifier.learn_one(dict(enumerate(row)), label)

    def predict(self, vectors: Vector) -> Labels:
        """The class of each sample."""
        return np.array([self._classifier.predict_one(dict(enumerate(row))) for row in vectors.tolist()], dtype=np.int64)


def avalanche_heads(classes: int, dimensions: int, seed: int) -> dict[str, PeerHead]:
    """SLDA with the shrinkage of ours, and replay of 20 samples a class trained as ours; none where Avalanche cannot be imported."""
    if not _importable("avalanche"):
        return {}
    import torch

    with _silent():
        _without_compiled_torchvision()
        supervised = importlib.import_module("avalanche.training.supervised")
        evaluation = importlib.import_module("avalanche.training.plugins").EvaluationPlugin

    def streaming_lda(d: int, n: int) -> Any:
        return supervised.StreamingLDA(
            slda_model=torch.nn.Identity(),
            criterion=torch.nn.CrossEntropyLoss(),
            input_size=d,
            num_classes=n,
            shrinkage_param=1e-2,
            train_mb_size=BATCH,
            evaluator=evaluation(loggers=[]),
        )

    def replay(d: int, n: int) -> Any:
        model = torch.nn.Linear(d, n)
        return supervised.Replay(
            model=model,
            optimizer=torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY),
            criterion=torch.nn.CrossEntropyLoss(),
            mem_size=20 * n,
            train_mb_size=BATCH,
            train_epochs=EPOCHS,
            evaluator=evaluation(loggers=[]),
        )

    return {
        "avalanche_slda": AvalancheHead(streaming_lda, classes=classes, scale=1.0, seed=seed),
        "avalanche_replay_20": AvalancheHead(replay, classes=classes, scale=dimensions**0.5, seed=seed),
    }


def river_heads() -> dict[str, PeerHead]:
    """Softmax regression and naive Bayes as the package sets them; none where river is not installed."""
    if not _importable("river"):
        return {}
    linear, bayes = importlib.import_module("river.linear_model"), importlib.import_module("river.naive_bayes")
    return {"river_softmax": RiverHead(linear.SoftmaxRegression()), "river_naive_bayes": RiverHead(bayes.GaussianNB())}


def _importable(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _without_compiled_torchvision() -> None:
    """Let torchvision be imported where its compiled part does not load, as that of its usual wheel beside a CPU build of torch.

    It then fails on two operators that it describes and does not have; nothing here calls them, so that a name for each is enough.
    """
    import torch

    if _OPERATORS or not _importable("torchvision"):
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
        _OPERATORS.append(library)  # they live as long as it does


@contextmanager
def _silent() -> Iterator[None]:
    with warnings.catch_warnings(record=True):  # recorded, because Avalanche shows some whatever the filter
        warnings.simplefilter("ignore")
        yield
