"""`SelectiveClassifier`: will this fail, is it out of scope, and may the agent act; with thresholds that keep what they promise."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, inf, log
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Vector, validate_rows
from ...scores.neighbours import conformal_quantile
from ...selective.fusion import Columns, Fusion
from ...selective.selective_rule import SelectiveRule, fewest_faultless, selective_rule
from ..training.classifier_training import ClassifierRecipe
from .class_names import AnyLabels, ClassNames
from .evidence_model import EvidenceModel
from .head_ensemble import HeadEnsemble
from .held_out import ScoreFunction, held_out_classes

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SelectiveScores:
    """What a gate says of samples, `(n,)` each."""

    labels: NDArray[Any]
    """The class it names: a whole number, or a text where the classes were given as texts."""
    failure: NDArray[np.float64]
    """Chance, in [0, 1], that this class is wrong although the sample is of a known one; larger is worse."""
    novelty: NDArray[np.float64]
    """Chance, in [0, 1], that the sample is of no known class, in a stream with as many of one as of the other; larger is stranger."""

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Chance of a known sample and the right class, `(1 - novelty) (1 - failure)`: one score for both, larger is surer."""
        return np.asarray((1 - self.novelty) * (1 - self.failure))


@dataclass(frozen=True, kw_only=True)
class SelectiveGuarantee:
    """What a gate promises of samples like those that it was calibrated on, and what it kept there."""

    rejection_rate: float
    """Promised: a sample of a known class is called out of scope with no more than this probability."""
    threshold: float
    """Novelty above which a sample is out of scope; infinite where there were too few samples to promise anything else."""
    rejected_share: float
    """Share of the calibration samples, all of known classes, above it."""
    rule: SelectiveRule
    """Least confidence at which the agent may act, with its coverage, its risk, and the bound that its promise rests on."""
    samples: int
    """How many samples it was calibrated on."""
    notes: tuple[str, ...] = ()
    """Why it never acts, and why it never calls anything out of scope, where that is so, and how many samples would be needed."""


@dataclass(frozen=True, kw_only=True)
class SelectiveDecision:
    """What is to be done with samples; who may neither be acted on nor is out of scope is worth a question."""

    scores: SelectiveScores
    """What the decision rests on."""
    act: NDArray[np.bool_]
    """The confidence reaches the rule's threshold `(n,)`."""
    out_of_scope: NDArray[np.bool_]
    """The novelty passes its threshold, and the agent may not act `(n,)`."""


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    known: EvidenceModel
    names: ClassNames
    failure: Fusion
    novelty: Fusion


class SelectiveClassifier:
    """Heads name a class and doubt it; heads, neighbours and Gaussians together say how strange a sample is.

    Failure and novelty are two scores, each a logistic fusion learned where the answers are known: failure on
    the validation split, novelty on that split against its outliers, or, where there are none, on known
    classes that are held out of the training samples in turn. Each half of the split is scored by what the other half weighed, and
    all of it calibrates the thresholds: cross-conformal prediction for novelty (Vovk 2015, https://arxiv.org/abs/1208.0806),
    a selective rule for acting (Geifman & El-Yaniv 2017, "Selective Classification for Deep Neural Networks", https://arxiv.org/abs/1705.08500).

    `widths` are those of the blocks in a vector, one block for each encoder; all in one block unless given.
    """

    def __init__(
        self,
        *,
        widths: Sequence[int] = (),
        members: int = 5,
        hidden: int = 256,
        recipe: ClassifierRecipe | None = None,
        rounds: int = 4,
        rejection_rate: float = 0.05,
        risk: float = 0.05,
        delta: float = 0.05,
        seed: int = 0,
    ) -> None:
        if not 0 < rejection_rate < 1 or not 0 < risk < 1 or not 0 < delta < 1:
            raise ValueError(f"rejection_rate {rejection_rate}, risk {risk} and delta {delta} must lie in (0, 1)")
        self.widths = tuple(widths)
        self.members = members
        self.hidden = hidden
        self.recipe = recipe or ClassifierRecipe()
        self.rounds = rounds
        self.rejection_rate = rejection_rate
        self.risk = risk
        self.delta = delta
        self.seed = seed
        self._fitted: _Fitted | None = None
        self._promise: SelectiveGuarantee | None = None

    @property
    def labels(self) -> NDArray[Any]:
        """Classes known, as they were given, numbers ascending. Raises `ValueError` before `fit`, as everything below does."""
        return self._ready().names.named(self._ready().known.labels)

    @property
    def promise(self) -> SelectiveGuarantee:
        """What it promises. Raises `ValueError` where classes came or went since it was calibrated."""
        self._ready()
        if self._promise is None:
            raise ValueError("classes came or went since the thresholds were set; call `recalibrate` first")
        return self._promise

    @property
    def outdated(self) -> tuple[str, ...]:
        """What learning and forgetting left behind, in words, and what repairs it; empty where all is as after `fit`."""
        known, named, notes = self._ready().known, self._ready().names.named, []
        if len(known.untrained):
            notes.append(
                f"heads: classes {named(known.untrained).tolist()} are named by their nearest sample alone; `fit` trains heads for them"
            )
        if len(known.masked):
            notes.append(f"heads: classes {named(known.masked).tolist()} are masked, not unlearned; `fit` trains heads without them")
        if self._promise is None:
            notes.append("thresholds: classes came or went since they were set; `recalibrate` sets them anew")
        return tuple(notes)

    def fit(
        self,
        vectors: Vector,
        labels: AnyLabels,
        validation: Vector,
        validation_labels: AnyLabels,
        *,
        outliers: Vector | None = None,
        validation_outliers: Vector | None = None,
    ) -> Self:
        """Begin anew from samples `(n, d)` of known classes and a validation split of the same classes, not seen in training.

        Labels are whole numbers or texts; what is decided later is said in the same. The validation split sets the thresholds;
        where that is too few samples for what was promised, nothing is ever acted on, and a logged warning and `promise.notes` say so.
        `outliers` of no class train the heads by OpenMix; `validation_outliers`, kept from training, teach the fusion what out-of-scope
        samples look like. Without them known classes are held out instead, `rounds` times; with one class only and no outliers all
        evidence counts alike. Raises `ValueError` for fewer than two validation samples, for validation classes that have
        no sample, for NaN or infinite values, and for lengths that differ.
        """
        names = ClassNames()
        rows, classes = _labelled("vectors", vectors, names.learn(labels))
        held, held_classes = _labelled("validation vectors", validation, names.learn(validation_labels))
        strange = np.setdiff1d(held_classes, classes)
        if len(held) < 2 or len(strange):
            raise ValueError(
                f"{len(held)} validation samples, classes {names.named(strange).tolist()} of them without a sample to learn from; "
                "at least two, all of known classes, are needed: hold a tenth of the samples out"
            )
        known = self._learned(rows, classes, outliers, self.members, self.seed)
        evidence = known.features(held)
        right = evidence.labels == held_classes
        outside = known.features(validation_outliers).novelty if validation_outliers is not None and len(validation_outliers) else None
        inside = None
        if outside is None and len(known.labels) > 1:
            inside, outside = self._held_out(rows, classes, outliers)

        def weighed(some: NDArray[np.int64]) -> tuple[Fusion, Fusion]:
            own = evidence.novelty[some]
            samples = inside if inside is not None and len(inside) else own, own[:0] if outside is None else outside
            return _failure_fusion(evidence.failure[some], right[some]), Fusion.fit(*samples, monotone=False)

        # Each half is scored by what the other half weighed, so that every sample calibrates and none that it was weighed on.
        halves = np.array_split(np.random.default_rng(self.seed).permutation(len(held)), 2)
        chances = np.zeros((2, len(held)))
        for some, rest in (halves, halves[::-1]):
            failure, novelty = weighed(some)
            chances[:, rest] = failure.chance(evidence.failure[rest]), novelty.chance(evidence.novelty[rest])
        failure, novelty = weighed(np.arange(len(held)))
        self._fitted = _Fitted(known=known, names=names, failure=failure, novelty=novelty)
        scores = SelectiveScores(labels=names.named(evidence.labels), failure=chances[0], novelty=chances[1])
        self._promised(scores, names.named(held_classes))
        return self

    def judge(self, vectors: Vector) -> SelectiveScores:
        """Class, failure and novelty of vectors `(n, d)`. Raises `ValueError` for NaN or infinite values."""
        fitted = self._ready()
        evidence = fitted.known.features(vectors)
        return SelectiveScores(
            labels=fitted.names.named(evidence.labels),
            failure=fitted.failure.chance(evidence.failure),
            novelty=fitted.novelty.chance(evidence.novelty),
        )

    def decide(self, vectors: Vector) -> SelectiveDecision:
        """Act, call out of scope, or neither, for vectors `(n, d)`. Raises `ValueError` where `promise` does."""
        promise, scores = self.promise, self.judge(vectors)
        act = scores.confidence >= promise.rule.threshold
        return SelectiveDecision(scores=scores, act=act, out_of_scope=~act & (scores.novelty > promise.threshold))

    def recalibrate(self, vectors: Vector, labels: AnyLabels) -> SelectiveGuarantee:
        """Set the thresholds on samples `(n, d)` of known classes that neither training nor fusion saw; warns where they never act.

        Raises `ValueError` for no sample and for NaN or infinite values.
        """
        names = self._ready().names
        rows, classes = _labelled("calibration vectors", vectors, names.learn(labels))
        return self._promised(self.judge(rows), names.named(classes))

    def _promised(self, scores: SelectiveScores, labels: NDArray[Any]) -> SelectiveGuarantee:
        self._promise = promise_of(scores, labels, rejection_rate=self.rejection_rate, risk=self.risk, delta=self.delta)
        for note in self._promise.notes:
            logger.warning("%s", note)
        return self._promise

    def learn(self, vectors: Vector, labels: AnyLabels) -> None:
        """Add samples `(n, d)`, of classes old or new, to neighbours and moments: exactly, with no refit.

        The heads stay. A class that they do not know is named where a sample of it is nearest, and what the heads say there
        counts neither for nor against. `outdated` says what should follow.
        """
        fitted = self._ready()
        fitted.known.evidence.learn(*_labelled("vectors", vectors, fitted.names.learn(labels)))
        self._promise = None

    def forget(self, labels: AnyLabels) -> None:
        """Take classes back: their samples leave neighbours and moments exactly, and the heads lose their outputs.

        Raises `ValueError` for classes that are not known, and where none that the heads know would be left.
        """
        known, classes = self._ready().known, self._ready().names.find(labels)
        if not len(np.setdiff1d(np.intersect1d(known.heads.labels, known.labels), classes)):
            raise ValueError("no class that the heads know would be left; fit the gate on what there is")
        known.evidence.forget(classes)
        self._promise = None

    def _ready(self) -> _Fitted:
        if self._fitted is None:
            raise ValueError("the gate is not fitted yet; call `fit` first")
        return self._fitted

    def _learned(self, rows: Vector, labels: Labels, outliers: Vector | None, members: int, seed: int) -> EvidenceModel:
        heads = HeadEnsemble(members, hidden=self.hidden, recipe=replace(self.recipe, seed=seed))
        return EvidenceModel(heads, self.widths).fit(rows, labels, outliers)

    def _held_out(self, rows: Vector, labels: Labels, outliers: Vector | None) -> tuple[Columns, Columns]:
        def fit(some: Vector, classes: Labels, number: int) -> ScoreFunction:
            # One head is enough to weigh the kinds of evidence against one another, at a fraction of the time.
            known = self._learned(some, classes, outliers, 1, self.seed * self.rounds + number)
            return lambda vectors: known.features(vectors).novelty

        return held_out_classes(rows, labels, fit, rounds=self.rounds, seed=self.seed)


def promise_of(scores: SelectiveScores, labels: NDArray[Any], *, rejection_rate: float, risk: float, delta: float) -> SelectiveGuarantee:
    """Thresholds for scores of calibration samples `(n,)` and their true classes, all known ones.

    Raises `ValueError` for no sample, lengths that differ, and rates outside (0, 1).
    """
    count = len(labels)
    right = np.asarray(scores.labels == labels)
    rule = selective_rule(scores.confidence, right, risk=risk, delta=delta)
    # Past the last of n samples there is no quantile: the only threshold that keeps the promise calls nothing out of scope.
    reachable = ceil((count + 1) * (1 - rejection_rate)) <= count
    threshold = conformal_quantile(scores.novelty, 1 - rejection_rate) if reachable else inf
    share = float((scores.novelty > threshold).mean())
    notes = _never_acts(rule, right, risk, delta) + _never_rejects(reachable, count, rejection_rate)
    return SelectiveGuarantee(
        rejection_rate=rejection_rate, threshold=threshold, rejected_share=share, rule=rule, samples=count, notes=tuple(notes)
    )


def _never_acts(rule: SelectiveRule, right: NDArray[np.bool_], risk: float, delta: float) -> list[str]:
    if rule.threshold < inf:
        return []
    least, wrong = fewest_faultless(risk, delta), int((~right).sum())
    promise = f"an error rate of at most {risk:.3g} with probability {1 - delta:.3g}"
    if len(right) < least:
        have = f"{least} faultless calibration samples, and there are {len(right)}"
        return [f"never acts: {promise} needs {have}; give `fit` at least {least} validation samples"]
    return [
        f"never acts: {wrong} of {len(right)} calibration samples are named wrongly, too many for {promise}; train better or allow more"
    ]


def _never_rejects(reachable: bool, count: int, rate: float) -> list[str]:
    if reachable:
        return []
    least = ceil((1 - rate) / rate)
    return [f"never calls anything out of scope: a rejection rate of {rate:.3g} needs {least} calibration samples, and there are {count}"]


def _failure_fusion(failure_evidence: Columns, right: NDArray[np.bool_]) -> Fusion:
    """The chance of a wrong class; where all were right, or all wrong, by the rule of succession (Laplace 1814) and equal weights."""
    if right.any() and not right.all():
        return Fusion.fit(failure_evidence[right], failure_evidence[~right], balanced=False, towards_equal=True)
    return Fusion.equal(failure_evidence, bias=log((float((~right).sum()) + 1) / (float(right.sum()) + 1)))


def _labelled(name: str, vectors: Vector, labels: Labels) -> tuple[Vector, Labels]:
    rows, classes = validate_rows(name, vectors), np.asarray(labels, dtype=np.int64)
    if classes.shape != (len(rows),):
        raise ValueError(f"{len(rows)} {name} and labels of the shape {classes.shape}; one label a vector is needed")
    return rows, classes
