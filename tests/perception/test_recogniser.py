from __future__ import annotations

import numpy as np
import pytest

from lifelong.core import NO_VERDICT
from lifelong.perception import HashedEncoder, MiniLMEncoder, Recogniser
from lifelong.perception.recogniser import DEFAULT_THRESHOLD
from lifelong.serving import locate


def cloud(axis: int, count: int, seed: int = 0, spread: float = 0.3) -> np.ndarray:
    rows = spread * np.random.default_rng([seed, axis]).normal(size=(count, 24)) / np.sqrt(24)
    rows[:, axis] += 1
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def trained(**values: float) -> Recogniser:
    recogniser = Recogniser(**values)  # type: ignore[arg-type]
    recogniser.fit(np.vstack([cloud(0, 60), cloud(1, 60)]), ["zero"] * 60 + ["one"] * 60)
    return recogniser


def test_nothing_known() -> None:
    assert Recogniser().judge(cloud(0, 1)[0]) == NO_VERDICT
    assert Recogniser().skills == ()
    assert Recogniser().threshold() == DEFAULT_THRESHOLD


def test_one_task_makes_a_skill() -> None:
    recogniser = Recogniser()
    recogniser.learn(cloud(0, 1)[0], "zero")
    near, far = recogniser.judge(cloud(0, 1, seed=1)[0]), recogniser.judge(cloud(5, 1)[0])
    assert (near.skill, near.known, near.confidence, near.success_chance) == ("zero", True, 1.0, 0.5)
    assert not far.known
    assert far.novelty > DEFAULT_THRESHOLD > near.novelty


def test_known_and_unknown_tasks_are_distinguished() -> None:
    recogniser = trained(quantile=0.95)
    verdicts = [recogniser.judge(row) for row in cloud(1, 200, seed=1)]
    assert {verdict.skill for verdict in verdicts} == {"one"}
    assert np.mean([verdict.known for verdict in verdicts]) > 0.88
    assert all(verdict.success_chance == 0.5 for verdict in verdicts), "a recogniser knows nothing of outcomes"
    assert not any(recogniser.judge(row).known for row in cloud(2, 100))


def test_confidence_and_novelty_are_two_scores() -> None:
    recogniser = trained()
    between = cloud(0, 1)[0] + cloud(1, 1)[0]
    unknown = cloud(7, 1)[0]
    sure = recogniser.judge(cloud(0, 1, seed=3)[0])
    torn = recogniser.judge((between / np.linalg.norm(between)).astype(np.float32))
    strange = recogniser.judge(unknown)
    assert sure.confidence > 0.99 > 0.7 > torn.confidence
    assert strange.novelty > torn.novelty > sure.novelty


def test_the_state_depends_on_vectors_and_order_alone() -> None:
    rows, names = np.vstack([cloud(0, 300), cloud(1, 40)]), ["zero"] * 300 + ["one"] * 40
    fitted, learned = Recogniser(bank_size=16), Recogniser(bank_size=16)
    learned.learn(cloud(4, 1)[0], "dropped by fit")
    learned.fit(rows[:10], names[:10])
    for row, name in zip(rows[10:], names[10:], strict=True):
        learned.learn(row, name)
    before = rows.copy()
    fitted.fit(rows, names)
    np.testing.assert_array_equal(rows, before)
    for query in cloud(0, 20, seed=5):
        assert fitted.judge(query) == learned.judge(query)
    assert fitted.threshold("zero") == learned.threshold("zero")


def test_repeats_do_not_narrow_what_is_known() -> None:
    recogniser = Recogniser()
    recogniser.fit(np.vstack([cloud(0, 64), cloud(1, 64)]), ["zero"] * 64 + ["one"] * 64)
    before = recogniser.threshold("zero")
    for row in cloud(0, 64):
        recogniser.learn(row, "zero")
    assert recogniser.threshold("zero") == before


def test_the_gaussians_see_what_the_nearest_neighbour_misses() -> None:
    # Tasks vary along one axis and hardly along the others: a step off that axis is short, and strange.
    draw, dimensions = np.random.default_rng(0), 24
    wide = np.where(np.arange(dimensions) == 5, 0.5, 0.02)

    def around(axis: int, count: int) -> np.ndarray:
        rows = np.eye(dimensions)[axis] + wide * draw.normal(size=(count, dimensions))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    rows, names = np.vstack([around(0, 64), around(1, 64)]), ["zero"] * 64 + ["one"] * 64
    few, many = Recogniser(quantile=0.95), Recogniser(quantile=0.95)
    few.fit(np.vstack([rows[:23], rows[64:87]]), names[:23] + names[64:87])
    many.fit(rows, names)
    along, off = around(0, 100), around(0, 100)
    off[:, 9] += 0.15
    off /= np.linalg.norm(off, axis=1, keepdims=True)
    assert np.mean([many.judge(row).known for row in along]) > 0.85
    assert np.mean([many.judge(row).known for row in off]) < 0.05
    assert np.mean([few.judge(row).known for row in off]) > 0.8, "the nearest neighbour alone misses them"


def test_each_skill_has_its_own_threshold_once_it_has_enough_tasks() -> None:
    recogniser = Recogniser()
    tight, wide = cloud(0, 60, spread=0.1), cloud(1, 60, spread=1.0)
    recogniser.fit(np.vstack([tight, wide, cloud(2, 3)]), ["tight"] * 60 + ["wide"] * 60 + ["few"] * 3)
    assert recogniser.threshold("tight") < 0.05 < 0.2 < recogniser.threshold("wide")
    assert recogniser.threshold("few") == pytest.approx(recogniser.threshold(), rel=0.2)


def test_forgetting_takes_tasks_back() -> None:
    rows, extra = cloud(0, 50), cloud(9, 5)
    never, forgot = Recogniser(), Recogniser()
    never.fit(rows, ["zero"] * 50)
    forgot.fit(np.vstack([rows, extra]), ["zero"] * 55)
    assert forgot.judge(extra[0]).novelty == pytest.approx(0, abs=1e-6)
    forgot.forget("zero", extra)
    for query in (*cloud(0, 5, seed=2), *extra):
        one, other = never.judge(query), forgot.judge(query)
        assert one.novelty == pytest.approx(other.novelty, abs=1e-6)
        assert (one.skill, one.known) == (other.skill, other.known)
    forgot.forget("zero", rows)
    forgot.forget("nobody")
    assert forgot.skills == ()


def test_forgetting_a_skill() -> None:
    recogniser = trained()
    recogniser.forget("one")
    assert recogniser.skills == ("zero",)
    assert not recogniser.judge(cloud(1, 1)[0]).known


def test_what_cannot_be_learned_is_refused_or_passed_over() -> None:
    recogniser = Recogniser()
    with pytest.raises(ValueError, match="novelty buffer"):
        recogniser.learn(cloud(0, 1)[0], "")
    recogniser.fit(cloud(0, 2), ["", "zero"])
    recogniser.learn(np.zeros(24, dtype=np.float32), "blank")
    assert recogniser.skills == ("zero",)
    with pytest.raises(ValueError, match="temperature"):
        Recogniser(temperature=0)


def test_topics_of_real_sentences_are_distinguished() -> None:
    encoder = HashedEncoder()
    nouns = ("orders", "students", "rooms", "flights", "books", "songs", "plants", "players", "films", "towns", "doctors", "cars")
    database = [f"How many {one} have more {other} than ten?" for one in nouns for other in nouns]
    walking = [f"go to the {colour} {thing}" for colour in ("red", "blue", "green", "grey") for thing in ("door", "ball", "box", "key")]
    recogniser = Recogniser()
    recogniser.fit(encoder.encode(database[::2] + walking[::2]), ["database"] * 72 + ["walking"] * 8)
    predicted = [recogniser.judge(row).skill for row in encoder.encode(database[1::2] + walking[1::2])]
    assert predicted == ["database"] * 72 + ["walking"] * 8
    unknown = recogniser.judge(encoder.encode(["Translate this poem into Latin, please."])[0])
    assert not unknown.known


ORDERS = ["Order 9 of hinges", "Order 3 of screws", "Order 12 of lamps", "Order 7 of nails"]
NEAR = ["Order 4 of brushes", "Order 2 of hammers", "Order 5 of buckets", "Order 9 of hinges, please"]
OUTSIDE = ["What is the capital of France?", "Tell me a joke.", "Write a poem about the sea.", "Please book a table for two tonight."]


@pytest.mark.parametrize("encoder", ["hashed", pytest.param("minilm", marks=pytest.mark.model)])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_variants_of_a_few_known_requests_are_known(encoder: str, count: int) -> None:
    encode = HashedEncoder().encode if encoder == "hashed" else MiniLMEncoder(locate("all-minilm-l6-v2")).encode
    recogniser = Recogniser(quantile=0.99)
    recogniser.fit(encode(ORDERS[:count]), ["orders"] * count)
    assert [recogniser.judge(row).known for row in encode(NEAR)] == [True] * 4
    assert [recogniser.judge(row).known for row in encode(OUTSIDE)] == [False] * 4


def test_a_near_duplicate_is_known_however_narrow_its_skill() -> None:
    recogniser = Recogniser()
    recogniser.fit(np.vstack([cloud(0, 22, spread=0.01), cloud(1, 22, spread=0.01)]), ["zero"] * 22 + ["one"] * 22)
    near = cloud(0, 1, seed=4, spread=0.3)[0]
    verdict = recogniser.judge(near)
    assert recogniser.threshold("zero") < verdict.novelty
    assert verdict.known
    assert not recogniser.judge(cloud(0, 1, seed=4, spread=1.5)[0]).known
