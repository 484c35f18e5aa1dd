from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lifelong import perception
from lifelong.checks.discoverer import check_discoverer
from lifelong.checks.encoder import check_encoder
from lifelong.checks.scorer import check_scorer
from lifelong.core import MalformedTask, ModelCorrupt, ModelMissing, Task
from lifelong.core.plugins import load_table
from lifelong.perception import (
    Discoverer,
    Encoder,
    HashedEncoder,
    MiniLMEncoder,
    NearestNeighbourNovelty,
    Recogniser,
    Scorer,
    SoftmaxConfidence,
    SphericalKMeans,
    discovery,
    scores,
)

MEMBERS = [
    member
    for name in perception.__all__
    if inspect.isclass(member := getattr(perception, name)) and member is not Encoder and callable(getattr(member, "encode", None))
]
FILES_FREE = [member for member in MEMBERS if not any(p.default is p.empty for p in inspect.signature(member).parameters.values())]
SCORERS = [getattr(perception, name) for name in scores.MEMBERS]
DISCOVERERS = [getattr(perception, name) for name in discovery.MEMBERS]


def test_members_are_found() -> None:
    assert {SoftmaxConfidence, NearestNeighbourNovelty} <= set(SCORERS)
    assert {HashedEncoder, MiniLMEncoder} <= set(MEMBERS)
    assert HashedEncoder in FILES_FREE
    assert SphericalKMeans in DISCOVERERS
    public = [member for name in perception.__all__ if inspect.isclass(member := getattr(perception, name))]
    assert {one for one in public if callable(getattr(one, "score", None))} - {Scorer} <= set(SCORERS)
    assert {one for one in public if callable(getattr(one, "discover", None))} - {Discoverer} <= set(DISCOVERERS)


@pytest.mark.parametrize("table", [scores, discovery])
def test_a_table_names_classes_as_they_are_called(table: ModuleType) -> None:
    assert [one.__name__ for one in load_table(table.__name__, table.MEMBERS)] == list(table.MEMBERS)


@pytest.mark.parametrize("member", FILES_FREE)
def test_every_encoder_without_files_keeps_the_rules(member: Callable[[], Encoder]) -> None:
    check_encoder(member)


@pytest.mark.parametrize("member", SCORERS)
def test_every_scorer_keeps_the_rules(member: Callable[[], Scorer]) -> None:
    check_scorer(member)


@pytest.mark.parametrize("member", DISCOVERERS)
def test_every_discoverer_keeps_the_rules(member: Callable[[], Discoverer]) -> None:
    check_discoverer(member)


@pytest.mark.model
def test_minilm_keeps_the_rules() -> None:
    from lifelong.serving import locate

    path = locate("all-minilm-l6-v2")
    check_encoder(lambda: MiniLMEncoder(path))
    assert MiniLMEncoder(path).dimensions == 384


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="models pull"):
        MiniLMEncoder(tmp_path)


BROKEN = b"\xff\xfe caf\xe9 rows".decode("utf-8", "surrogateescape")
"""What becomes of bytes in another encoding."""


def check_strange_texts(encoder: Encoder) -> None:
    rows = encoder.encode(["word " * 20_000, BROKEN, "\ud800", "caf rows"])
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert rows[1] @ rows[3] > rows[2] @ rows[3], "what can be read of a broken text counts"


@pytest.mark.model
def test_minilm_reads_long_and_broken_texts() -> None:
    from lifelong.serving import locate

    check_strange_texts(MiniLMEncoder(locate("all-minilm-l6-v2")))


def test_a_task_of_broken_text_is_refused_by_name() -> None:
    with pytest.raises(MalformedTask, match="'context' holds bytes that are no UTF-8 text"):
        Task(id="1", goal="count", context=BROKEN)


@pytest.mark.slow
def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelCorrupt, match="cannot be read"):
        MiniLMEncoder(tmp_path).encode(["text"])


def test_every_text_that_an_encoder_takes_has_a_verdict() -> None:
    encode = HashedEncoder().encode
    texts = [f"{form} {n}" for form in ("book a flight to Rome", "write the recipe of a soup") for n in range(40)]
    recogniser = Recogniser()
    recogniser.fit(encode(texts), ["travel"] * 40 + ["cooking"] * 40)
    odd = ["", " ", "\n\t", "x", "please " * 50_000, "我的包裹在哪里", "أين طردي", "Где моя посылка", "🙂" * 9, "\0", "a\ud800b"]
    for text, verdict in zip(odd, recogniser.judge_many(encode(odd)), strict=True):
        assert 0 <= verdict.known_chance <= 1
        assert 0 <= verdict.confidence <= 1
        assert not verdict.known, f"{text[:20]!r} is like nothing that is known"
