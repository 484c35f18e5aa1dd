"""The head that names skills: closed form awake, refit asleep."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.learners import Refit, SkillHead, load_head, save_head
from lifelong.learners.heads.streaming_lda import StreamingLDAHead, oracle_shrinkage


def tasks(seed: int, *, skills: int = 4, each: int = 30, noise: float = 0.35) -> tuple[np.ndarray, list[str]]:
    draw = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(skills, 16)) / 4
    rows = np.repeat(centres, each, axis=0) + noise * draw.normal(size=(skills * each, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), [
        f"skill {n}" for n in range(skills) for _ in range(each)
    ]


def rings(seed: int, each: int = 40) -> tuple[np.ndarray, list[str]]:
    """Two skills with the same mean, which no linear head can tell apart: one has both signs of an axis, the other of another."""
    draw = np.random.default_rng(seed)
    rows = 0.2 * draw.normal(size=(2 * each, 16))
    signs = draw.choice([-1.0, 1.0], size=2 * each)
    rows[:each, 0] += signs[:each]
    rows[each:, 1] += signs[each:]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), ["pull"] * each + ["push"] * each


def test_oracle_shrinkage_golden() -> None:
    # p = 2, tr S^2 = 10, tr S = 4: 16 / ((20 + 1 - 1) * (10 - 8)) = 0.4; with four samples 2, which is more than all of it.
    covariance = np.diag([1.0, 3.0])
    assert oracle_shrinkage(covariance, 20) == pytest.approx(0.4)
    assert oracle_shrinkage(covariance, 4) == 1.0
    assert oracle_shrinkage(covariance, 0) == 1.0
    assert oracle_shrinkage(np.eye(3), 1000) == 1.0


def test_few_samples_are_enough_for_the_closed_form() -> None:
    vectors, skills = tasks(0, skills=6, each=4, noise=0.2)
    asked, truth = tasks(1, skills=6, each=50, noise=0.2)
    numbers = np.array([int(skill[-1]) for skill in skills])
    right = {}
    for shrinkage in (None, 1e-6):
        head = StreamingLDAHead(shrinkage=shrinkage)
        head.learn(vectors, numbers)
        right[shrinkage] = float((head.predict(asked) == np.array([int(name[-1]) for name in truth])).mean())
    assert right[None] > right[1e-6] + 0.05


@given(seed=st.integers(0, 1000), gone=st.integers(1, 80))
@settings(max_examples=20)
def test_learn_then_unlearn_is_identity(seed: int, gone: int) -> None:
    vectors, skills = tasks(seed % 7)
    rows = np.random.default_rng(seed).permutation(len(skills))
    taken, left = rows[:gone], np.sort(rows[gone:])
    head, never = SkillHead(), SkillHead()
    head.learn(vectors, skills)
    head.unlearn(vectors[taken], [skills[row] for row in taken])
    never.learn(vectors[left], [skills[row] for row in left])
    assert set(head.skills) == set(never.skills)
    order = [never.skills.index(name) for name in head.skills]
    assert np.abs(head.scores(vectors) - never.scores(vectors)[:, order]).max() < 1e-8


@pytest.fixture(scope="module")
def rested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Refit]:
    """The file of a refit among the rings, and what it came to."""
    head, file = SkillHead(), tmp_path_factory.mktemp("heads") / "head.npz"
    head.learn(*rings(0))
    found = head.refit(*rings(0))
    save_head(head, file)
    return file, found


def share_right(head: SkillHead) -> float:
    return float(np.mean([head.name(vector)[0] == skill for vector, skill in zip(*rings(1), strict=True)]))


def test_a_refit_answers_where_it_errs_less_and_comes_back_from_its_file(rested: tuple[Path, Refit]) -> None:
    file, found = rested
    assert found.kept
    assert found.refit_errors is not None
    assert found.refit_errors < found.closed_form_errors
    head = SkillHead()
    head.learn(*rings(0))
    assert share_right(head) < 0.7, "no linear head tells the rings apart"
    load_head(head, file)
    assert share_right(head) > 0.9

    stranger = SkillHead()
    stranger.learn(*tasks(0))
    with pytest.raises(ValueError, match="nothing is known of"):
        load_head(stranger, file)


def test_what_cues_recall_does_not_decide_on_a_refit_while_there_is_anything_else() -> None:
    vectors, skills = rings(0, each=15)
    flattering, easy = tasks(0, each=8, noise=0.05)
    head = SkillHead()
    found = head.refit(np.concatenate([flattering, vectors]), [*easy, *skills], recalled=len(flattering))
    assert found.tasks == head.refit(vectors, skills).tasks, "a fifth of the tasks that are not recalled"
    assert head.refit(vectors, skills, recalled=len(vectors)) == head.refit(vectors, skills), "where all are, they decide"


def test_nothing_is_fitted_where_the_closed_form_errs_at_nothing() -> None:
    vectors, skills = tasks(0, noise=0.05)
    head = SkillHead()
    head.learn(vectors, skills)
    found = head.refit(vectors, skills)
    assert (found.tasks, found.closed_form_errors, found.refit_errors, found.kept) == (24, 0, None, False)
    assert head.refitted == ()


def test_a_skill_that_came_since_the_refit_is_named_by_the_closed_form(rested: tuple[Path, Refit]) -> None:
    head = SkillHead()
    head.learn(*rings(0))
    load_head(head, rested[0])
    fresh = np.zeros((12, 16), dtype=np.float32)
    fresh[:, 5] = 1
    fresh[:, 6] = np.linspace(-0.1, 0.1, 12)
    head.learn(fresh, ["turn"] * 12)
    assert head.refitted == ("pull", "push")
    assert head.name(fresh[0])[0] == "turn"
    assert share_right(head) > 0.9, "among the others the refit goes on deciding"
    head.unlearn(fresh[:1], ["turn"])
    assert head.refitted == (), "who unlearns does not ask what saw the task"


def test_bad_input_is_named() -> None:
    vectors, skills = tasks(0)
    head = SkillHead()
    with pytest.raises(ValueError, match="knows no class"):
        head.name(vectors[0])
    with pytest.raises(ValueError, match="novelty buffer"):
        head.learn(vectors[:1], [""])
    head.learn(vectors, skills)
    before = head.scores(vectors)
    with pytest.raises(ValueError, match="not known"):
        head.unlearn(vectors[:1], ["never"])
    with pytest.raises(ValueError, match="fewer samples"):
        head.unlearn(np.repeat(vectors[:1], 31, axis=0), ["skill 0"] * 31)
    assert np.array_equal(head.scores(vectors), before), "a refused request changes nothing"
    assert head.refit(vectors[:5], skills[:5]).tasks == 0
