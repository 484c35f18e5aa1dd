"""What an adapter learns from, as tokens and in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lifelong.learners import Sample
from lifelong.learners.adapters.lora import answer_loss
from lifelong.learners.adapters.samples import encode, joined, length_grouped
from lifelong.serving import ChatPrompts

SAMPLES = [
    Sample(messages=({"role": "user", "content": f"room {number}"},), answer="blue", skill="lamps", episode=str(number), composed=False)
    for number in range(16)
]


def test_the_answer_alone_is_learned_from(tiny_model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    ids, labels = encode(SAMPLES[0], ChatPrompts(tokenizer), 512, tokenizer.eos_token_id)
    assert tokenizer.decode([label for label in labels if label != -100]) == "blue<|im_end|>"
    assert tokenizer.decode(ids).endswith("<|im_start|>assistant\nblue<|im_end|>")
    short_ids, short_labels = encode(SAMPLES[0], ChatPrompts(tokenizer), 10, tokenizer.eos_token_id)
    assert len(short_ids) == 10
    assert short_labels[-5:] == labels[-5:]


def test_length_grouping_is_a_permutation_that_saves_padding() -> None:
    lengths = [(7 * place) % 50 for place in range(64)]
    order = length_grouped(lengths, 4, range(64))
    assert sorted(order) == list(range(64))
    batches = [[lengths[p] for p in order[start : start + 4]] for start in range(0, 64, 4)]
    assert sum(max(batch) * 4 for batch in batches) < sum(max(lengths[s : s + 4]) * 4 for s in range(0, 64, 4))


TURNS = ("lookup C1", "C1: tier gold", "priority T1 P1", "T1: priority P1", "route T1 storage", "T1: routed")
RUN = [
    Sample(
        messages=(
            {"role": "system", "content": "Work the tickets."},
            {"role": "user", "content": "Ticket T1 from C1"},
            *({"role": ("assistant", "user")[place % 2], "content": text} for place, text in enumerate(TURNS[:turn])),
        ),
        answer=TURNS[turn],
        skill="tickets",
        episode="1",
    )
    for turn in (0, 2, 4)
]
"""One run of three turns of the agent's own."""

Encoded = Sequence[tuple[list[int], list[int]]]


def predictions(rows: Encoded) -> Counter[tuple[int, ...]]:
    """How often which token is learned after which others."""
    return Counter(tuple(ids[: place + 1]) for ids, labels in rows for place, label in enumerate(labels) if label != -100)


@given(st.lists(st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=7), st.integers(0, 6))))
def test_a_joined_row_teaches_each_token_as_often_after_the_same_others(drawn: list[tuple[list[int], int]]) -> None:
    encoded = [(ids, [-100] * min(start, len(ids) - 1) + ids[min(start, len(ids) - 1) :]) for ids, start in drawn]
    assert predictions(joined(encoded)) == predictions(encoded)


def test_the_turns_of_a_run_are_one_row(tiny_model: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    encoded = [encode(sample, ChatPrompts(tokenizer), 512, tokenizer.eos_token_id) for sample in (*RUN, SAMPLES[0])]
    rows = joined(encoded)
    assert [ids for ids, _ in rows] == [encoded[2][0], encoded[3][0]]
    assert predictions(rows) == predictions(encoded)
    # Cut to its end, a conversation no longer goes on from the one before: then each stands alone.
    short = [encode(sample, ChatPrompts(tokenizer), 24, tokenizer.eos_token_id) for sample in RUN]
    assert joined(short) == short


def test_a_joined_row_has_the_loss_of_its_turns(tiny_model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(tiny_model), AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    encoded = [encode(sample, ChatPrompts(tokenizer), 512, tokenizer.eos_token_id) for sample in RUN]

    def loss(rows: Encoded) -> float:
        answers = sum(label != -100 for _, labels in rows for label in labels)
        each = [answer_loss(network, torch.tensor([ids]), torch.ones(1, len(ids)), torch.tensor([labels]), answers) for ids, labels in rows]
        return sum(float(one.detach()) for one in each)

    assert len(joined(encoded)) == 1
    assert abs(loss(joined(encoded)) - loss(encoded)) < 1e-5
