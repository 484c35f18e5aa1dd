from __future__ import annotations

import numpy as np
import pytest
from sampled_skills import domain

from lifelong.core import NO_VERDICT
from lifelong.perception import HashedEncoder, MiniLMEncoder, Recogniser
from lifelong.perception.recogniser import DEFAULT_THRESHOLD
from lifelong.perception.recognition import calibration
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
    learned.calibrate()
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
    assert np.mean([many.judge(row).known for row in off]) < 0.15
    assert np.mean([few.judge(row).known for row in off]) > 0.8, "the nearest neighbour alone misses them"


def test_each_skill_has_its_own_threshold_once_it_has_enough_tasks() -> None:
    recogniser = Recogniser()
    tight, wide = cloud(0, 60, spread=0.1), cloud(1, 60, spread=1.0)
    recogniser.fit(np.vstack([tight, wide, cloud(2, 3)]), ["tight"] * 60 + ["wide"] * 60 + ["few"] * 3)
    assert recogniser.threshold("tight") < recogniser.threshold() <= recogniser.threshold("wide")
    assert recogniser.threshold("few") == pytest.approx(recogniser.threshold(), abs=1)


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


def test_a_new_skill_of_a_known_domain_is_unknown_and_the_chances_are_calibrated() -> None:
    rows, names = domain(12, 60)
    known = np.array([int(name) < 8 for name in names])
    recogniser = Recogniser(second=24)
    recogniser.fit(rows[known], [name for name in names if int(name) < 8])
    tests, labels = domain(12, 40, seed=1)
    verdicts = [recogniser.judge(row) for row in tests]
    inside = np.array([int(label) < 8 for label in labels])
    called = np.array([verdict.known for verdict in verdicts])
    assert called[inside].mean() > 0.9
    assert called[~inside].mean() < 0.1
    assert np.mean([v.skill == label for v, label in zip(verdicts, labels, strict=True) if int(label) < 8]) > 0.95
    chances = np.array([verdict.known_chance for verdict in verdicts])
    for low, high in ((0.0, 0.2), (0.8, 1.0)):
        some = (chances >= low) & (chances <= high)
        assert some.sum() > 30
        assert inside[some].mean() == pytest.approx(chances[some].mean(), abs=0.12)


def test_the_second_view_counts_and_may_be_missing() -> None:
    rows, names = domain(8, 40)
    both, one = Recogniser(second=24), Recogniser()
    both.fit(rows, names)
    one.fit(rows[:, :24], names)
    tests, labels = domain(8, 40, seed=2)

    def right(recogniser: Recogniser, some: np.ndarray) -> float:
        return float(np.mean([recogniser.judge(row).skill == label for row, label in zip(some, labels, strict=True)]))

    assert right(both, tests) > right(one, tests[:, :24]) + 0.05
    blank = tests.copy()
    blank[:, 24:] = 0
    assert right(both, blank) > 0.5, "a task without a second view is judged by the first"
    half = rows.copy()
    half[::2, 24:] = 0
    both.fit(half, names)
    assert right(both, tests) > right(one, tests[:, :24])


def test_forgetting_a_skill_is_as_if_it_had_never_been_there() -> None:
    rows, names = domain(9, 40)
    forgot, never = Recogniser(second=24, bank_size=32), Recogniser(second=24, bank_size=32)
    forgot.fit(rows, names)
    left = np.array([name != "4" for name in names])
    never.fit(rows[left], [name for name in names if name != "4"])
    forgot.forget("4")
    tests, _ = domain(9, 20, seed=3)
    for row in tests:
        one, other = forgot.judge(row), never.judge(row)
        assert (one.skill, one.known, one.reason) == (other.skill, other.known, other.reason)
        assert abs(one.known_chance - other.known_chance) < 1e-5
        assert abs(one.confidence - other.confidence) < 1e-5
    state, again = forgot.state(), never.state()
    assert sorted(state) == sorted(again)
    for name, array in state.items():
        np.testing.assert_array_equal(array, again[name], err_msg=name)


def test_forgetting_tasks_leaves_nothing_of_them() -> None:
    rows, names = domain(6, 40)
    forgot, never = Recogniser(second=24), Recogniser(second=24)
    forgot.fit(rows, names)
    gone = np.arange(len(rows)) % 7 == 3
    never.fit(rows[~gone], [name for name, out in zip(names, gone, strict=True) if not out])
    for skill in sorted(set(names)):
        mine = gone & np.array([name == skill for name in names])
        forgot.forget(skill, rows[mine, :24])
    tests, _ = domain(6, 20, seed=3)
    for row in tests:
        assert forgot.judge(row).known_chance == pytest.approx(never.judge(row).known_chance, abs=1e-5)
    assert not any(np.isclose(forgot.state()["banks"] @ row, 2).any() for row in rows[gone])


def test_what_is_kept_and_read_does_not_grow_with_the_tasks_of_a_skill() -> None:
    sizes = []
    for count in (100, 1000):
        rows, names = domain(4, count)
        recogniser = Recogniser(second=24, bank_size=64, eager=False)
        recogniser.fit(rows, names)
        sizes.append(sum(array.nbytes for name, array in recogniser.state().items()))
    assert sizes[0] == sizes[1]


def test_a_state_that_is_restored_judges_alike() -> None:
    rows, names = domain(5, 30)
    one, other = Recogniser(second=24), Recogniser(second=24)
    one.fit(rows, names)
    while not one.observe(0.2):
        pass
    other.restore(one.state())
    for row in domain(6, 5, seed=4)[0]:
        assert one.judge(row) == other.judge(row)
    assert not other.due


def test_what_is_learned_between_two_tasks_counts_as_if_everything_had_been_read_anew() -> None:
    one = trained(eager=False)
    for number, skill in enumerate(["zero", "one", "new", "zero"]):
        one.judge(cloud(0, 1, seed=8)[0])
        one.learn(cloud(2 if skill == "new" else number % 2, 1, seed=20 + number)[0], skill)
        other = Recogniser(eager=False)
        other.restore(one.state())
        for axis in range(4):
            row = cloud(axis, 1, seed=9)[0]
            assert one.judge(row).novelty == pytest.approx(other.judge(row).novelty, abs=1e-12)
            assert one.judge(row).skill == other.judge(row).skill


def test_a_skill_that_comes_after_the_calibration_is_known_at_once_and_calls_for_another() -> None:
    rows, names = domain(8, 60)
    new = np.array([name == "7" for name in names])
    recogniser = Recogniser(second=24, eager=False)
    recogniser.fit(rows[~new], [name for name in names if name != "7"])
    recogniser.learn_many(rows[new][:30], ["7"] * 30)
    tests, labels = domain(8, 40, seed=5)
    mine = [recogniser.judge(row) for row, label in zip(tests, labels, strict=True) if label == "7"]
    assert np.mean([verdict.skill == "7" and verdict.known for verdict in mine]) > 0.8
    assert recogniser.due
    recogniser.calibrate()
    assert not recogniser.due
    assert recogniser.calibration is not None
    assert "7" in recogniser.calibration.held_out


@pytest.mark.parametrize("far", [-1.0, 0.0])
def test_what_lies_far_from_everything_is_unknown(far: float) -> None:
    # The distance to all tasks together grows faster than that to one skill: its difference alone would call these known.
    rows, names = domain(6, 40)
    recogniser = Recogniser(second=24)
    recogniser.fit(rows, names)
    draw = np.random.default_rng(11).normal(size=(50, 2, 24)) + 3 * far
    tests = np.hstack([view / np.linalg.norm(view, axis=1, keepdims=True) for view in (draw[:, 0], draw[:, 1])]).astype(np.float32)
    assert not any(recogniser.judge(row).known for row in tests)


def test_every_verdict_says_why_and_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, names = domain(6, 40)
    recogniser = Recogniser(second=24, quantile=0.95)
    recogniser.learn(rows[0], "0")
    early = recogniser.judge(rows[1]).reason
    assert "'0'" in early
    assert "48 in all" in early
    assert "there are 1" in early
    recogniser.fit(rows, names)
    known, unknown = recogniser.judge(rows[0]).reason, recogniser.judge(-rows[0]).reason
    assert known.startswith("known: nearest is '0', at a distance of 0.00 by meaning and 0.00 by wording")
    assert "95% quantile of" in known
    assert "chance of being known" in known
    assert unknown.startswith("unknown: ")
    monkeypatch.setattr(calibration, "EXAMINED", 500)
    sure = Recogniser(second=24, quantile=0.999)
    sure.fit(*domain(6, 180))
    assert "the 99.9% quantile of 500 held-out known tasks, of which 999 are needed" in sure.judge(rows[0]).reason


def test_thresholds_follow_a_stream_that_drifts() -> None:
    rows, names = domain(8, 60)
    recogniser = Recogniser(second=24)
    recogniser.fit(rows, names)
    tests, labels = domain(8, 80, seed=6)
    # Everybody words things differently from now on.
    drifted = tests + 0.5 * np.random.default_rng(1).normal(size=tests.shape).astype(np.float32) / np.sqrt(24)
    drifted = np.hstack([view / np.linalg.norm(view, axis=1, keepdims=True) for view in np.split(drifted, 2, axis=1)]).astype(np.float32)
    order = np.random.default_rng(2).permutation(len(tests))
    stream, later = order[: len(order) // 2], order[len(order) // 2 :]
    assert not any(recogniser.observe(recogniser.judge(tests[place]).known_chance) for place in stream), "what does not drift is left alone"
    before = np.mean([recogniser.judge(drifted[place]).known for place in later])
    found = [recogniser.observe(recogniser.judge(drifted[place]).known_chance) for place in stream]
    after = np.mean([recogniser.judge(drifted[place]).known for place in later])
    assert any(found)
    assert before < 0.88 < 0.9 < after
    assert "recent known tasks" in recogniser.judge(drifted[0]).reason
    recogniser.forget("3")
    assert "held-out known tasks" in recogniser.judge(tests[0]).reason, "the scores of forgotten tasks are gone"
    assert labels


def test_many_skills_of_one_task_each_and_two_of_enough_are_calibrated() -> None:
    rows, names = domain(2, 40)
    singles = np.random.default_rng(8).normal(size=(1500, 2, 24))
    singles = (singles / np.linalg.norm(singles, axis=2, keepdims=True)).reshape(1500, 48).astype(np.float32)
    recogniser = Recogniser(second=24)
    recogniser.fit(np.concatenate([rows, singles]), [*names, *(f"single {place}" for place in range(1500))])
    assert recogniser.calibration is not None
    assert [recogniser.judge(row).skill for row in singles[:20]] == [f"single {place}" for place in range(20)]
    assert all(np.isfinite(recogniser.judge(row).known_chance) for row in domain(3, 5, seed=4)[0])


def test_the_same_tasks_under_two_names_and_tasks_without_any_spread_have_defined_verdicts() -> None:
    rows, _ = domain(1, 40)
    twice = Recogniser(second=24)
    twice.fit(np.concatenate([rows, rows]), ["one"] * 40 + ["other"] * 40)
    verdict = twice.judge(rows[0])
    assert verdict.skill in ("one", "other")
    assert 0 <= verdict.known_chance <= 1
    assert verdict.confidence == pytest.approx(0.5, abs=0.1)
    same = Recogniser(second=24)
    same.fit(np.repeat(rows[:2], 40, axis=0), ["one"] * 40 + ["other"] * 40)
    assert same.sampled == 2, "repeats teach nothing"
    assert same.judge(rows[0]).known
