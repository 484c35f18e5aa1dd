"""The chance that this agent solves this task: by its skill's history, its neighbours, and the model's own likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lifelong.perception import OutcomeModel, history_chance, neighbour_chance
from lifelong.perception.outcomes import CAPACITY, logarithmic_loss

SERVED = ("counting", "lifelong-v0001")


def themes(count: int, seed: int = 0, dimensions: int = 32) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Unit vectors around two axes in turn; the agent solves nine of ten around the first and one of ten around the second."""
    draw = np.random.default_rng(seed)
    kind = np.arange(count) % 2
    rows = np.eye(2, dimensions)[kind] + 0.1 * draw.normal(size=(count, dimensions))
    solved = draw.random(count) < np.where(kind == 0, 0.9, 0.1)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), solved


def trained(count: int = 120, seed: int = 0) -> OutcomeModel:
    model = OutcomeModel()
    for vector, solved in zip(*themes(count, seed), strict=True):
        model.learn(vector, *SERVED, bool(solved))
    return model


def test_golden_numbers() -> None:
    assert history_chance(3, 8) == pytest.approx(0.4)
    # k = e^0 and e^-1: (2 * 0.5 + 1 * 1 + 0.36788 * 0) / (2 + 1 + 0.36788)
    chance = neighbour_chance(np.array([[1.0, 0.9]]), np.array([1.0, 0.0]), 0.5, 0.1)
    assert chance == pytest.approx([2 / 3.36787944], abs=1e-8)
    assert neighbour_chance(np.array([[1.0, 0.9]]), np.array([1.0, 0.0]), 0.3, 0.0) == pytest.approx([0.3])
    assert logarithmic_loss(np.array([0.5, 0.25]), np.array([1.0, 0.0])) == pytest.approx((np.log(2) - np.log(0.75)) / 2)


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.booleans()), min_size=1, max_size=20),
    st.floats(0.01, 0.99),
    st.sampled_from([0.0, 0.02, 0.2]),
)
def test_a_chance_lies_in_its_range_rises_with_a_success_and_knows_no_order(
    seen: list[tuple[float, bool]], base: float, bandwidth: float
) -> None:
    similarities, outcomes = (np.array(part, dtype=np.float64) for part in zip(*seen, strict=True))
    [chance] = neighbour_chance(similarities[None], outcomes, base, bandwidth)
    assert min(base, outcomes.min()) - 1e-9 <= chance <= max(base, outcomes.max()) + 1e-9
    [turned] = neighbour_chance(similarities[None, ::-1], outcomes[::-1], base, bandwidth)
    assert turned == pytest.approx(chance)
    [better] = neighbour_chance(similarities[None], np.maximum(outcomes, np.eye(len(outcomes))[0]), base, bandwidth)
    assert better >= chance - 1e-12


def test_nothing_known_is_a_coin() -> None:
    assert OutcomeModel().chance(themes(1)[0][0], *SERVED) == 0.5
    assert OutcomeModel().rule([SERVED], 0.2) is None


def test_neighbours_tell_what_the_history_cannot() -> None:
    model = trained()
    vectors, _ = themes(40, seed=1)
    chances = np.array([model.chance(vector, *SERVED) for vector in vectors])
    assert chances[::2].min() > 0.6 > 0.4 > chances[1::2].max()
    assert model.chance(vectors[0], "counting", "lifelong-v0002") == 0.5, "another adapter begins anew"


def test_where_the_embedding_tells_nothing_the_history_decides() -> None:
    model, draw = OutcomeModel(), np.random.default_rng(0)
    for _ in range(100):
        vector = draw.normal(size=16)
        model.learn((vector / np.linalg.norm(vector)).astype(np.float32), *SERVED, bool(draw.random() < 0.3))
    successes, judged = model.counts(*SERVED)
    chances = [model.chance(np.eye(16, dtype=np.float32)[axis], *SERVED) for axis in range(16)]
    assert chances == pytest.approx([(successes + 1) / (judged + 2)] * 16, abs=0.05)


def test_the_models_own_likelihood_is_listened_to_once_it_tells_something() -> None:
    model, draw = OutcomeModel(), np.random.default_rng(0)
    vector = np.eye(8, dtype=np.float32)[0]
    for number in range(60):
        solved = bool(draw.random() < 0.5)
        before = model.chance(vector, *SERVED)
        if number < 10:
            assert model.chance(vector, *SERVED, likelihood=-3.0) == before
        model.learn(vector, *SERVED, solved, likelihood=float(draw.normal(-0.2 if solved else -1.0, 0.2)))
    sure, unsure = (model.chance(vector, *SERVED, likelihood=value) for value in (-0.1, -1.2))
    assert sure > 0.9 > 0.1 > unsure


def test_the_promised_risk_is_kept_on_tasks_to_come() -> None:
    broken, covered = 0, 0.0
    for seed in range(40):
        model = trained(200, seed)
        rule = model.rule([SERVED], 0.25)
        assert rule is not None
        vectors, solved = themes(400, seed=1000 + seed)
        accepted = np.array([model.chance(vector, *SERVED) for vector in vectors]) >= rule.threshold
        covered += float(accepted.mean()) / 40
        broken += bool(accepted.any()) and 1 - solved[accepted].mean() > 0.25
    assert broken <= 4, "with 95 % confidence two of forty are expected"
    assert covered > 0.4, "a rule that accepts nothing would keep any promise"


def test_an_unkeepable_promise_accepts_nothing() -> None:
    model = OutcomeModel()
    for vector in themes(30)[0]:
        model.learn(vector, *SERVED, success=False)
    rule = model.rule([SERVED], 0.2)
    assert rule is not None
    assert (rule.coverage, rule.threshold) == (0.0, np.inf)


def test_old_outcomes_give_way_to_new_ones() -> None:
    model = OutcomeModel()
    vector = np.eye(4, dtype=np.float32)[0]
    for success in [False] * CAPACITY + [True] * CAPACITY:
        model.learn(vector, *SERVED, success)
    assert model.counts(*SERVED) == (CAPACITY, CAPACITY)
    assert model.chance(vector, *SERVED) > 0.95


def test_a_zero_vector_counts_and_nan_is_refused() -> None:
    model = trained(20)
    model.learn(np.zeros(32, dtype=np.float32), *SERVED, success=True)
    assert 0 < model.chance(np.zeros(32, dtype=np.float32), *SERVED) < 1
    with pytest.raises(ValueError, match="NaN or infinite"):
        model.learn(np.full(32, np.nan, dtype=np.float32), *SERVED, success=True)


def test_a_server_without_probabilities_is_as_one_that_was_not_asked() -> None:
    silent, unasked = OutcomeModel(), OutcomeModel()
    vectors = np.eye(40, dtype=np.float32)
    for number, vector in enumerate(vectors):
        silent.learn(vector, "chat", "", number % 3 > 0, likelihood=-np.inf)
        unasked.learn(vector, "chat", "", number % 3 > 0)
    for likelihood in (-np.inf, np.nan):
        assert silent.chance(vectors[0], "chat", "", likelihood=likelihood) == unasked.chance(vectors[0], "chat", "")
    assert silent.rule([("chat", "")], 0.5) == unasked.rule([("chat", "")], 0.5)
