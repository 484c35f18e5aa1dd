"""The pieces of decoding: tries of choices, parts of bounded size, and what is written into a reply."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from lifelong.serving import EmbeddedEngine
from lifelong.serving.decoding.decode import _SCORED, Batch, Trie, Writing, _parts, options_trie

if TYPE_CHECKING:
    from transformers import PreTrainedModel

END = 2


def paths(trie: Trie) -> list[tuple[int, ...]]:
    return [(token, *rest) for token, below in trie.items() for rest in (paths(below) or [()])]


@given(st.lists(st.lists(st.integers(3, 6), min_size=1, max_size=4).map(tuple), min_size=1, max_size=6, unique=True))
def test_a_trie_holds_exactly_the_options(options: list[tuple[int, ...]]) -> None:
    assert sorted(paths(options_trie(options, END))) == sorted((*option, END) for option in options)


@given(st.lists(st.integers(1, 700), max_size=40), st.integers(1, 16))
def test_parts_hold_every_row_once_and_stay_small(lengths: list[int], most: int) -> None:
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    parts = _parts(order, lengths, most)
    assert [row for part in parts for row in part] == order
    for part in parts:
        assert len(part) <= most
        assert len(part) == 1 or len(part) * max(lengths[row] for row in part) <= _SCORED


def write(network: PreTrainedModel, writings: Sequence[Writing]) -> None:
    batch = Batch(network, writings, ends={END}, pad=0)
    while batch.step():
        pass


def test_replies_of_different_length_end_by_themselves(tiny_model: Path) -> None:
    engine = EmbeddedEngine(tiny_model, dtype="float32", device="cpu")
    writings = [Writing(prompt=[5, 6, 7 + row], limit=1 + 3 * row) for row in range(3)] + [Writing(prompt=[9], limit=0)]
    write(engine.network, writings)
    for writing in writings:
        assert writing.ended or len(writing.tokens) == writing.limit
        assert writing.logprob <= 0
        assert not writing.going
    alone = Writing(prompt=[5, 6, 9], limit=7)
    write(engine.network, [alone])
    assert alone.tokens == writings[2].tokens, "neighbours change nothing"
    write(engine.network, [])
    engine.close()
