"""Copy-preserving substitution: the names and numbers that an answer copies from its prompt are exchanged in both.

Few demonstrations teach a small model their names by heart instead of the act of copying. Exchanging every copied
span consistently on both sides keeps the sample true and makes copying the only thing that explains it. The idea is
that of data recombination for semantic parsing (Jia and Liang 2016, "Data
Recombination for Neural Semantic Parsing", https://arxiv.org/abs/1606.03622, section 4: entity abstraction), without a grammar.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...core import Message, text_of
from .samples import Sample

_NAME = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)*\b")
_NUMBER = re.compile(r"(?<![\w.'-])\d{2,6}(?![\w.'-])")
_QUOTED = re.compile(r"'([A-Za-z][^'\n]{1,40})'")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What copied spans may be exchanged for, gathered from the samples themselves."""

    names: tuple[str, ...]
    """Lower-case identifiers."""
    quoted: tuple[str, ...]
    """Contents of single-quoted strings."""


def copied_names(prompt: str, answer: str) -> list[str]:
    """Lower-case identifiers of at least three letters that stand in both texts, sorted.

    >>> copied_names("Table payments(payment_id INT) How many?", "SELECT COUNT(payment_id) FROM payments")
    ['payment_id', 'payments']
    """
    return sorted(name for name in set(_NAME.findall(prompt)) & set(_NAME.findall(answer)) if len(name) >= 3)


def vocabulary(samples: Iterable[Sample]) -> Vocabulary:
    """Every copied name and quoted string of the composed samples, sorted, without repeats."""
    names: set[str] = set()
    quoted: set[str] = set()
    for sample in samples:
        if sample.composed and sample.exchangeable:
            names.update(copied_names(_prompt(sample), sample.answer))
            quoted.update(_QUOTED.findall(sample.answer))
    return Vocabulary(names=tuple(sorted(names)), quoted=tuple(sorted(quoted)))


def substitute(sample: Sample, words: Vocabulary, rng: random.Random, share: float = 0.7) -> Sample:
    """A sample in which about `share` of the copied spans are exchanged, on both sides alike.

    A name is exchanged in its written form (`payment_date`) and in its spoken form (`payment date`). It stays where it
    could not be found again: when the prompt has it only once, the answer follows from what it means, not from where it
    stands; and when another name contains it. Samples come back as they are where the answer was picked, not composed, or
    where no environment declares what may be exchanged: in free text it would teach falsehoods.
    """
    if not sample.composed or not sample.exchangeable:
        return sample
    prompt, answer = _prompt(sample), sample.answer
    exchanges: list[tuple[re.Pattern[str], str]] = []
    taken = set(_NAME.findall(prompt)) | set(_NAME.findall(answer))
    kinds = sample.exchangeable
    for name in copied_names(prompt, answer) if "names" in kinds else ():
        new = rng.choice(words.names) if words.names else name
        if rng.random() < share and new not in taken and not _is_part(name, taken) and _mentions(name, prompt) > 1:
            taken.add(new)
            exchanges += _spoken_and_written(name, new)
    for number in sorted(set(_NUMBER.findall(prompt)) & set(_NUMBER.findall(answer))) if "numbers" in kinds else ():
        if rng.random() < share:
            new = str(rng.randrange(10 ** (len(number) - 1), 10 ** len(number)))
            exchanges.append((re.compile(rf"(?<![\w.'-]){number}(?![\w'-]|\.\d)"), new))
    for text in sorted(set(_QUOTED.findall(answer))) if "quoted" in kinds else ():
        if f"'{text}'" in prompt and words.quoted and rng.random() < share:
            exchanges.append((re.compile(re.escape(f"'{text}'")), f"'{rng.choice(words.quoted)}'"))
    return _apply(sample, exchanges)


def _prompt(sample: Sample) -> str:
    return "\n".join(text_of(message) for message in sample.messages)


def _is_part(name: str, taken: set[str]) -> bool:
    """Whether the spoken form of another name contains this one, as `date` does in `payment date`."""
    return any(name != other and name in other.split("_") for other in taken)


def _mentions(name: str, prompt: str) -> int:
    return len(re.findall(rf"\b{name}s?\b", prompt)) + ("_" in name) * len(
        re.findall(rf"\b{name.replace('_', ' ')}s?\b", prompt, re.IGNORECASE)
    )


def _spoken_and_written(name: str, new: str) -> list[tuple[re.Pattern[str], str]]:
    spoken, new_spoken = name.replace("_", " "), new.replace("_", " ")
    written = (re.compile(rf"\b{name}(?=s?\b)"), new)
    return [written] if spoken == name else [written, (re.compile(rf"\b{spoken}(?=s?\b)", re.IGNORECASE), new_spoken)]


def _apply(sample: Sample, exchanges: Sequence[tuple[re.Pattern[str], str]]) -> Sample:
    # All exchanges go through placeholders, so that a new name is never taken for the next old one.
    def exchanged(text: str) -> str:
        for position, (pattern, _) in enumerate(exchanges):
            text = pattern.sub(f"\x00{position}\x00", text)
        return re.sub(r"\x00(\d+)\x00", lambda match: exchanges[int(match[1])][1], text)

    messages: tuple[Message, ...] = tuple({"role": m["role"], "content": exchanged(text_of(m))} for m in sample.messages)
    return replace(sample, messages=messages, answer=exchanged(sample.answer))
