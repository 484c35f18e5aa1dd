"""What an adapter learns from, as tokens and in batches."""

from __future__ import annotations

from pathlib import Path

from lifelong.learners import Sample
from lifelong.learners.adapters.samples import encode, length_grouped
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
