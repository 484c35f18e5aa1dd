from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.checks.scorer import example_samples
from lifelong.perception import ClassifierRecipe, SelectiveClassifier, SelectiveScores, binomial_upper_bound, selective_rule
from lifelong.perception.experimental.classifier.selective_classifier import promise_of
from lifelong.perception.selective.selective_rule import fewest_faultless

QUICK = ClassifierRecipe(epochs=6, batch_size=16)
UNKNOWN = np.eye(12, dtype=np.float32)[5:]
OUTLIERS = np.eye(12, dtype=np.float32)[3:5]


def small_classifier(**values: object) -> SelectiveClassifier:
    return SelectiveClassifier(**{"members": 1, "hidden": 16, "recipe": QUICK, "rounds": 2, "rejection_rate": 0.1, "risk": 0.2, **values})  # type: ignore[arg-type]


@cache
def fitted() -> SelectiveClassifier:
    """Read only: for tests that change nothing."""
    vectors, _, labels = example_samples(0)
    held, _, classes = example_samples(1, 90)
    return small_classifier().fit(vectors, labels, held, classes)


def test_promise_golden() -> None:
    # 19 samples: the 18th smallest novelty (ceil(20 * 0.9)) leaves one above; all right, so all may be accepted at this risk.
    novelty = np.arange(19) / 20
    scores = SelectiveScores(labels=np.zeros(19, dtype=np.int64), failure=np.zeros(19), novelty=novelty)
    promise = promise_of(scores, np.zeros(19, dtype=np.int64), rejection_rate=0.1, risk=0.4, delta=0.05)
    assert promise.threshold == 17 / 20
    assert promise.rejected_share == 1 / 19
    assert promise.rule.coverage == 1.0
    assert promise.rule.risk_bound == pytest.approx(binomial_upper_bound(0, 19, 0.05 / 2))
    few = promise_of(scores, np.zeros(19, dtype=np.int64), rejection_rate=0.04, risk=0.1, delta=0.05)
    assert (few.threshold, few.rejected_share, few.rule.coverage) == (math.inf, 0.0, 0.0)


def test_known_and_unknown_are_distinguished_without_an_outlier_seen() -> None:
    fresh, _, classes = example_samples(2)
    known, unknown = fitted().decide(fresh), fitted().decide(UNKNOWN)
    np.testing.assert_array_equal(known.scores.labels, classes)
    assert known.act.mean() > 0.7
    assert unknown.out_of_scope.all()
    assert not unknown.act.any()
    assert not (known.act & known.out_of_scope).any()
    assert unknown.scores.novelty.min() > known.scores.novelty.mean()
    assert fitted().outdated == ()
    promise = fitted().promise
    assert promise.rejected_share <= 0.1
    assert 0 < promise.rule.coverage <= 1
    assert promise.rule.risk <= promise.rule.risk_bound <= 0.2


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_scores_are_chances_whatever_comes_and_in_whatever_order(seed: int) -> None:
    draw = np.random.default_rng(seed)
    rows = (draw.normal(size=(9, 12)) * draw.choice([0.0, 1e-3, 1.0, 1e3])).astype(np.float32)
    scores, turned = fitted().judge(rows), fitted().judge(rows[::-1])
    for values, others in ((scores.failure, turned.failure), (scores.novelty, turned.novelty), (scores.confidence, turned.confidence)):
        assert ((values >= 0) & (values <= 1)).all()
        np.testing.assert_allclose(others[::-1], values, atol=1e-3)
    assert np.isin(scores.labels, [0, 1, 2]).all()


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_confidence_falls_with_either_score(failure: float, novelty: float, more: float) -> None:
    def confidence(first: float, second: float) -> float:
        scores = SelectiveScores(labels=np.zeros(1, dtype=np.int64), failure=np.array([first]), novelty=np.array([second]))
        return float(scores.confidence[0])

    assert confidence(max(failure, more), novelty) <= confidence(failure, novelty)
    assert confidence(failure, max(novelty, more)) <= confidence(failure, novelty)


def test_same_seed_same_classifier_and_the_input_stays() -> None:
    vectors, _, labels = example_samples(0)
    held, _, classes = example_samples(1, 90)
    again = small_classifier().fit(vectors, labels, held, classes)
    np.testing.assert_array_equal(again.judge(held).novelty, fitted().judge(held).novelty)
    np.testing.assert_array_equal(vectors, example_samples(0)[0])
    np.testing.assert_array_equal(held, example_samples(1, 90)[0])
    assert again.promise == fitted().promise


def test_outliers_teach_the_fusion_and_blocks_are_read_apart() -> None:
    vectors, _, labels = example_samples(0)
    held, _, classes = example_samples(1)
    double = small_classifier(widths=(12, 12), rejection_rate=0.2)
    twice = [np.hstack([rows, rows]) for rows in (vectors, held, OUTLIERS, UNKNOWN)]
    double.fit(twice[0], labels, twice[1], classes, outliers=twice[2], validation_outliers=twice[3])
    assert double.judge(twice[3]).novelty.min() > double.judge(twice[1]).novelty.max()
    with pytest.raises(ValueError, match="columns are needed"):
        double.judge(vectors)


def test_a_class_comes_and_goes_without_a_refit() -> None:
    vectors, _, labels = example_samples(0)
    held, _, classes = example_samples(1, 60)
    lively = small_classifier().fit(vectors, labels, held, classes)
    fresh = (np.eye(12, dtype=np.float32)[7] + 0.1 * np.random.default_rng(0).normal(size=(20, 12))).astype(np.float32)
    assert lively.judge(fresh).novelty.min() > lively.promise.threshold
    lively.learn(fresh[:10], np.full(10, 42))
    np.testing.assert_array_equal(lively.labels, [0, 1, 2, 42])
    assert any("[42]" in line for line in lively.outdated)
    with pytest.raises(ValueError, match="call `recalibrate` first"):
        lively.decide(fresh)
    assert (lively.judge(fresh[10:]).labels == 42).all()
    lively.recalibrate(np.vstack([held, fresh[10:]]), np.concatenate([classes, np.full(10, 42)]))
    assert lively.decide(fresh).out_of_scope.mean() < 0.5
    lively.forget(np.array([42]))
    lively.forget(np.array([1]))
    assert any("masked" in line and "[1]" in line for line in lively.outdated)
    assert not (lively.judge(held).labels == 1).any()
    lively.recalibrate(held[classes != 1], classes[classes != 1])
    assert lively.decide(held[classes == 1]).out_of_scope.all()
    with pytest.raises(ValueError, match="would be left"):
        lively.forget(np.array([0, 2]))


@pytest.mark.parametrize("some", ["one class", "one sample", "duplicates", "all wrong"])
def test_thin_samples_have_a_defined_answer(some: str) -> None:
    vectors, _, labels = example_samples(0)
    held, _, classes = example_samples(1)
    if some == "one class":
        vectors, labels, held, classes = vectors[labels == 0], labels[labels == 0], held[classes == 0], classes[classes == 0]
    elif some == "one sample":
        keep = (labels != 1) | (np.arange(len(labels)) == 1)
        vectors, labels = vectors[keep], labels[keep]
    elif some == "duplicates":
        vectors, held = vectors[labels], held[classes]  # three different vectors, twenty times each
    else:
        classes = (classes + 1) % 3
    thin = small_classifier().fit(vectors, labels, held, classes)
    for rows in (held, UNKNOWN, held[:0]):
        decision = thin.decide(rows)
        assert np.isfinite(decision.scores.confidence).all()
        assert len(decision.act) == len(decision.out_of_scope) == len(rows)
    if some == "all wrong":
        assert not thin.decide(held).act.any()
        assert thin.judge(held).failure.mean() > 0.9
    elif some != "one sample":  # there, new samples of the thin class look unknown, and the threshold makes room for them
        assert thin.decide(UNKNOWN).out_of_scope.mean() > 0.5


def test_bad_input_is_refused_by_name() -> None:
    vectors, _, labels = example_samples(0)
    held, _, classes = example_samples(1)
    with pytest.raises(ValueError, match="call `fit` first"):
        small_classifier().judge(vectors)
    with pytest.raises(ValueError, match="0 validation samples"):
        small_classifier().fit(vectors, labels, held[:0], classes[:0])
    with pytest.raises(ValueError, match=r"classes \[9\] of them without a sample"):
        small_classifier().fit(vectors, labels, held, classes * 0 + 9)
    with pytest.raises(ValueError, match="NaN or infinite"):
        small_classifier().fit(vectors * np.nan, labels, held, classes)
    with pytest.raises(ValueError, match="NaN or infinite"):
        fitted().judge(vectors * np.inf)
    with pytest.raises(ValueError, match="one label a vector"):
        small_classifier().fit(vectors, labels[:-1], held, classes)
    with pytest.raises(ValueError, match=r"needed"):
        fitted().recalibrate(held[:0], classes[:0])
    with pytest.raises(ValueError, match="must lie in"):
        SelectiveClassifier(risk=0.0)


def test_text_labels_are_learned_decided_and_forgotten_as_texts() -> None:
    vectors, _, labels = example_samples(0)
    held, _, classes = example_samples(1, 90)
    names = np.array(["refund", "delivery", "Größe"])
    texts = small_classifier().fit(vectors, names[labels].tolist(), held, names[classes])
    assert sorted(texts.labels) == sorted(names)
    scores = texts.decide(held).scores
    assert (scores.labels == names[classes]).mean() > 0.9
    # The same classifier as one that was given the numbers of the sorted names.
    order = np.argsort(np.argsort(names))
    numbers = small_classifier().fit(vectors, order[labels], held, order[classes])
    assert texts.promise == numbers.promise
    np.testing.assert_array_equal(scores.labels, np.sort(names)[numbers.judge(held).labels])
    texts.learn(vectors[:3], ["new"] * 3)
    assert any("['new']" in line for line in texts.outdated)
    texts.forget(["new"])
    with pytest.raises(ValueError, match=r"classes \['absent'\] are not known"):
        texts.forget(["absent"])
    texts.recalibrate(held, names[classes])
    assert texts.decide(held[:0]).scores.labels.shape == (0,)


def test_labels_of_another_kind_are_refused_by_name() -> None:
    vectors, _, labels = example_samples(0)
    held, _, classes = example_samples(1)
    with pytest.raises(ValueError, match=r"whole numbers or texts, one a sample; got float64 such as .*0\.5"):
        small_classifier().fit(vectors, labels + 0.5, held, classes)
    with pytest.raises(ValueError, match="must be texts, as the classes before; got int64"):
        small_classifier().fit(vectors, [f"class {label}" for label in labels], held, classes)
    with pytest.raises(ValueError, match=r"classes \['other'\] of them without a sample"):
        small_classifier().fit(vectors, [f"class {label}" for label in labels], held, ["other"] * len(held))


def test_a_classifier_that_never_acts_says_why(caplog: pytest.LogCaptureFixture) -> None:
    vectors, _, labels = example_samples(0)
    held, _, classes = example_samples(1, 15)
    assert fewest_faultless(0.05, 0.05) == 59
    assert fewest_faultless(0.2, 0.05) == 14
    thin = small_classifier(risk=0.05, rejection_rate=0.05).fit(vectors, labels, held, classes)
    assert not thin.decide(held).act.any()
    acts, rejects = thin.promise.notes
    assert "needs 59 faultless calibration samples, and there are 15; give `fit` at least 59 validation samples" in acts
    assert "never calls anything out of scope: a rejection rate of 0.05 needs 19 calibration samples, and there are 15" in rejects
    assert [record.message for record in caplog.records] == [acts, rejects]
    caplog.clear()
    wrong = small_classifier().fit(vectors, labels, example_samples(1, 60)[0], (example_samples(1, 60)[2] + 1) % 3)
    assert [note for note in wrong.promise.notes if "named wrongly, too many for an error rate of at most 0.2" in note]
    assert fitted().promise.notes == ()


def test_eighty_validation_samples_are_enough_to_act() -> None:
    vectors, _, labels = example_samples(0)
    held, _, classes = example_samples(1, 80)
    thick = small_classifier(risk=0.05, rejection_rate=0.05).fit(vectors, labels, held, classes)
    assert thick.promise.samples == 80, "every validation sample calibrates"
    assert thick.promise.notes == ()
    assert thick.decide(held).act.mean() > 0.7


@given(st.floats(0.01, 0.5), st.floats(0.01, 0.5))
def test_the_fewest_faultless_samples_are_the_fewest_that_prove_the_risk(risk: float, delta: float) -> None:
    least = fewest_faultless(risk, delta)
    enough, few = (selective_rule(np.zeros(n), np.ones(n, dtype=bool), risk=risk, delta=delta) for n in (least, max(1, least - 1)))
    assert enough.coverage == 1.0
    assert least == 1 or few.coverage == 0.0
