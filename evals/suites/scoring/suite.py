"""How fast every score is beside pytorch-ood's implementation of the same score: `lifelong bench scoring`.

Both score the same made embeddings in float32 on one thread, in turns. What is measured is processor time, which a busy
machine does not change; on a quiet one it is the time that passes. Fitting is not measured.

pytorch-ood (Kirchheim et al. 2022, Apache-2.0) is no dependency: `pip install --no-deps pytorch-ood` adds its column.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.plugins import create
from ....perception import (
    ClassMeanNovelty,
    EnergyConfidence,
    EntropyConfidence,
    MahalanobisNovelty,
    MarginConfidence,
    MaximumLogitConfidence,
    NearestNeighbourNovelty,
    RelativeMahalanobisNovelty,
    Scorer,
    SoftmaxConfidence,
    VirtualLogitNovelty,
)
from ...data.seeded import Metrics, seeded_rows
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter

OURS, PEER = "lifelong", "pytorch_ood"
SKILLS, DIMENSIONS, PRINCIPAL = 150, 384, 192
FIT, SCORED = 15_000, 100_000
QUICK_FIT, QUICK_SCORED = 3_000, 2_000
OUT_OF_SCOPE = 0.1
"""Share of the scored embeddings that belong to no skill."""
RUNS, LEAST_RUNS, ENOUGH_SECONDS = 7, 2, 60.0
"""Runs of each, of which the median counts; fewer, once both together have taken that many seconds."""


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Embeddings and the logits of a linear head over them."""

    fit: NDArray[np.float32]
    """Of the skills, unit vectors `(n, d)`."""
    fit_labels: NDArray[np.int64]
    """Their skills."""
    scored: NDArray[np.float32]
    """To be scored, unit vectors `(m, d)`."""
    weights: NDArray[np.float32]
    """Of the head, `(skills, d)`."""
    bias: NDArray[np.float32]
    """Of the head, `(skills,)`."""

    def logits(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the head gives."""
        return vectors @ self.weights.T + self.bias


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One of our scores, and the peer's of the same definition."""

    case: str
    """What the table calls it."""
    ours: Callable[[], Scorer]
    """Makes our scorer."""
    theirs: Callable[[Any, Samples], Any] | None = None
    """Makes the peer's detector from its module; none where it has no such score."""
    method: str = OURS
    """Whose rows they are: ours, or a scorer of somebody else by its name."""


COMPARISONS = (
    Comparison(case="softmax", ours=SoftmaxConfidence, theirs=lambda peer, _: peer.MaxSoftmax(None)),
    Comparison(case="margin", ours=MarginConfidence),
    Comparison(case="entropy", ours=EntropyConfidence, theirs=lambda peer, _: peer.Entropy(None)),
    Comparison(case="maximum logit", ours=MaximumLogitConfidence, theirs=lambda peer, _: peer.MaxLogit(None)),
    Comparison(case="energy", ours=EnergyConfidence, theirs=lambda peer, _: peer.EnergyBased(None)),
    Comparison(case="1 nearest neighbour", ours=NearestNeighbourNovelty, theirs=lambda peer, _: peer.KNN(None, k=1)),
    Comparison(case="50 nearest neighbours", ours=lambda: NearestNeighbourNovelty(50), theirs=lambda peer, _: peer.KNN(None, k=50)),
    Comparison(case="class mean", ours=ClassMeanNovelty),
    Comparison(case="mahalanobis", ours=MahalanobisNovelty, theirs=lambda peer, _: peer.Mahalanobis(None)),
    Comparison(case="relative mahalanobis", ours=RelativeMahalanobisNovelty, theirs=lambda peer, _: peer.RMD(None)),
    Comparison(
        case="virtual logit",
        ours=lambda: VirtualLogitNovelty(PRINCIPAL),
        theirs=lambda peer, samples: peer.ViM(None, PRINCIPAL, _tensor(samples.weights), _tensor(samples.bias)),
    ),
)


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Every score; ours alone, and a line that says so, where pytorch-ood is not installed. `data` is not read."""
    peer = peer_detectors()
    if peer is None:
        print("pytorch-ood is not installed, ours is measured alone; for both: pip install --no-deps pytorch-ood", file=sys.stderr)
    fit, scored = (QUICK_FIT, QUICK_SCORED) if quick else (FIT, SCORED)
    rows: list[Row] = []
    with _one_thread():
        for comparison in wanted_comparisons(only):
            case = f"{comparison.case}, {scored} embeddings"
            rows += seeded_rows(case, lambda seed, one=comparison: compare(one, made(fit, scored, seed), peer), seeds, only=only)  # type: ignore[misc]
            print("; ".join(f"{row.method} {row.metric} {row.value:.4g}" for row in rows if row.case == case), file=sys.stderr, flush=True)
    return rows


def wanted_comparisons(only: RowFilter) -> list[Comparison]:
    """Those of the table, where ours or the peer's are wanted, and one for each scorer that is named besides."""
    own = [Comparison(case=name, ours=partial(create, "scorers", name), method=name) for name in only.own("scorers", (OURS, PEER))]
    return [*(COMPARISONS if only.wants_any((OURS, PEER)) else ()), *own]


def peer_detectors() -> Any | None:
    """The module `pytorch_ood.detector`, none where the package is not installed.

    Imported by name because it is no dependency, and without the file of the package around it: that one imports data sets and
    models, and with them torchvision, which does not load beside every build of torch and which no detector uses.
    """
    package = importlib.util.find_spec("pytorch_ood")
    if package is None:
        return None
    sys.modules.setdefault("pytorch_ood", importlib.util.module_from_spec(package))
    return importlib.import_module("pytorch_ood.detector")


def made(fit: int, scored: int, seed: int) -> Samples:
    """Samples of skills, their directions of falling variance as an encoder's, and some of no skill among those to score."""
    draw = np.random.default_rng(seed)
    scale = np.geomspace(1, 0.05, DIMENSIONS)
    means = draw.normal(size=(SKILLS, DIMENSIONS)) * scale

    def rows(labels: NDArray[np.int64]) -> NDArray[np.float32]:
        vectors = means[labels] + draw.normal(size=(len(labels), DIMENSIONS)) * scale
        unknown = labels < 0
        vectors[unknown] = np.sqrt(2) * draw.normal(size=(int(unknown.sum()), DIMENSIONS)) * scale
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

    labels = np.arange(fit) % SKILLS
    others = np.where(np.arange(scored) < OUT_OF_SCOPE * scored, -1, np.arange(scored) % SKILLS)
    heads = means / np.linalg.norm(means, axis=1, keepdims=True)
    weights, bias = (20 * heads).astype(np.float32), draw.normal(size=SKILLS).astype(np.float32)
    return Samples(fit=rows(labels), fit_labels=labels, scored=rows(others), weights=weights, bias=bias)


def compare(comparison: Comparison, samples: Samples, peer: Any | None) -> Metrics:
    """Median processor seconds of ours and, where there is one, of the peer's, and how far the two agree."""
    logits = samples.logits(samples.scored)
    scorer = comparison.ours().fit(samples.fit, samples.logits(samples.fit), samples.fit_labels)
    ours: list[float] = []
    if peer is None or comparison.theirs is None:
        for _ in range(RUNS):
            ours.append(_seconds(lambda: scorer.score(samples.scored, logits))[0])
        return {(comparison.method, "cpu_seconds"): float(np.median(ours))}
    detect = _detector(comparison.theirs(peer, samples), samples, logits)
    theirs: list[float] = []
    while len(ours) < LEAST_RUNS or (len(ours) < RUNS and sum(ours) + sum(theirs) < ENOUGH_SECONDS):
        seconds, scores = _seconds(lambda: scorer.score(samples.scored, logits))
        ours.append(seconds)
        seconds, outliers = _seconds(detect)
        theirs.append(seconds)
    return {
        (comparison.method, "cpu_seconds"): float(np.median(ours)),
        (PEER, "cpu_seconds"): float(np.median(theirs)),
        (comparison.method, "times_faster_than_pytorch_ood"): float(np.median(np.divide(theirs, ours))),
        (comparison.method, "rank_correlation_with_pytorch_ood"): _agreement(scorer, scores, outliers.numpy()),
    }


def _agreement(scorer: Scorer, scores: NDArray[np.float32], outliers: NDArray[np.floating]) -> float:
    """Spearman's rank correlation of strangeness; the peer's scores are larger where it is stranger."""
    from scipy.stats import spearmanr

    novelty = scores if type(scorer).__name__.endswith("Novelty") else -scores
    return float(spearmanr(novelty, outliers).statistic)


def _detector(detector: Any, samples: Samples, logits: NDArray[np.float32]) -> Callable[[], Any]:
    """What scores the samples with a detector, fitted if it is one of features; of torch tensors, its own kind."""
    if hasattr(detector, "predict_features"):
        detector.fit_features(_tensor(samples.fit), _tensor(samples.fit_labels))
        vectors = _tensor(samples.scored)
        return lambda: detector.predict_features(vectors)
    rows = _tensor(logits)
    return lambda: detector.predict_logits(rows)


def _tensor(rows: NDArray[Any]) -> Any:
    import torch

    return torch.from_numpy(rows)


def _seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


@contextmanager
def _one_thread() -> Iterator[None]:
    """BLAS, OpenMP and torch on one thread: processor time is then the time of the work and not of waiting threads."""
    import faiss  # noqa: F401  (loaded first, so that its threads are limited as well)
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
