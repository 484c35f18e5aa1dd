"""Decoding and scoring with a key-value cache: the two loops that the embedded engine runs."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_WORTH_SHARING = 16
"""Tokens of a common beginning from which on reading it once is faster than reading it with every prompt."""

_SCORED = 512
"""Tokens scored at once; with 50 000 words their logits and log-probabilities take a fifth of a gigabyte in float32."""

Trie = dict[int, Any]
"""Token -> what may follow. The end marker leads to an empty trie."""


@dataclass(kw_only=True)
class Writing:
    """One reply while it is written."""

    prompt: list[int]
    """Tokens read."""
    limit: int
    """Most tokens to write, the end marker included."""
    temperature: float = 0.0
    """0 is greedy."""
    generator: torch.Generator | None = None
    """The reply's own source of chance, so that its neighbours in the batch do not change what is drawn."""
    allowed: Trie | None = None
    """What may be written next; None: anything."""
    tokens: list[int] = field(default_factory=list)
    """Tokens written, the end marker included."""
    logprob: float = 0.0
    """Sum of their natural-log probabilities under the unconstrained model at temperature 1."""
    ended: bool = False
    """Whether the end marker was written."""

    @property
    def going(self) -> bool:
        """Whether it wants another token."""
        return not self.ended and len(self.tokens) < self.limit


def options_trie(options: Sequence[Sequence[int]], end: int) -> Trie:
    """A trie of token sequences, each closed by `end`."""
    root: Trie = {}
    for option in options:
        node = root
        for token in (*option, end):
            node = node.setdefault(token, {})
    return root


def decode(network: PreTrainedModel, writings: Sequence[Writing], *, ends: Collection[int], pad: int) -> None:
    """Write the replies of one batch, all at once, into `writings`.

    What all prompts begin with (the instructions of an environment) is read once, as in prefix sharing (Zheng et al. 2024, "SGLang",
    https://arxiv.org/abs/2312.07104, section 3); rows leave the batch as soon as they end. A reply constrained to given choices walks a
    trie of their tokens, the finite case of constrained decoding (De Cao et al. 2021, "Autoregressive Entity Retrieval",
    https://arxiv.org/abs/2010.00904, section 3.2).
    """
    import torch

    going = [writing for writing in writings if writing.going]
    if not going:
        return
    with torch.inference_mode():
        device = next(network.parameters()).device
        cache, shared = _read_shared(network, [writing.prompt for writing in going])
        tokens, mask = (part.to(device) for part in _left_padded([writing.prompt[shared:] for writing in going], pad))
        mask = torch.cat([mask.new_ones(len(going), shared), mask], dim=1)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, shared:]
        # An index, not the number 1: the slice that a number makes is not contiguous, and multiplying it with the output head
        # then copies the head once a row (a gigabyte and a third of the time for 16 rows).
        last = torch.tensor([-1], device=device)
        while True:
            logits = network(
                input_ids=tokens,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=last,
            ).logits[:, -1]
            chosen = _write_next(logits.float(), going, ends)
            kept = [row for row, writing in enumerate(going) if writing.going]
            if not kept:
                return
            positions = positions[:, -1:] + 1
            mask = torch.cat([mask, mask.new_ones(len(going), 1)], dim=1)
            if len(kept) < len(going):
                rows = torch.tensor(kept, device=device)
                cache.batch_select_indices(rows)
                chosen, positions, mask = chosen[rows], positions[rows], mask[rows]
                going = [going[row] for row in kept]
            tokens = chosen[:, None]


def score(network: PreTrainedModel, prefix: Sequence[int], options: Sequence[Sequence[int]], *, batch_size: int) -> list[float]:
    """Mean natural-log probability of each option's tokens after `prefix`, which is read once for all of them.

    Log-likelihood divided by length, as multiple choice is scored without a bias to short options (Brown et al. 2020, "Language Models
    are Few-Shot Learners", https://arxiv.org/abs/2005.14165, section 2.4).
    """
    import torch
    from transformers import DynamicCache

    with torch.inference_mode():
        device = next(network.parameters()).device
        cache = DynamicCache(config=network.config)
        read = network(input_ids=torch.tensor([prefix], device=device), past_key_values=cache, use_cache=True, logits_to_keep=1)
        first = read.logits[0, -1].float().log_softmax(-1)
        sums = [float(first[option[0]]) for option in options]
        longer = sorted((index for index, option in enumerate(options) if len(option) > 1), key=lambda index: len(options[index]))
        for part in _parts(longer, [len(option) for option in options], batch_size):
            for index, rest in zip(part, _score_rest(network, cache, len(prefix), [options[index] for index in part]), strict=True):
                sums[index] += rest
    return [total / len(option) for total, option in zip(sums, options, strict=True)]


def _parts(order: Sequence[int], lengths: Sequence[int], most: int) -> list[list[int]]:
    """`order`, by rising length, cut into parts of at most `most` rows and, with padding, `_SCORED` tokens; a longer row stands alone."""
    parts: list[list[int]] = [[]]
    for index in order:
        if parts[-1] and (len(parts[-1]) == most or (len(parts[-1]) + 1) * lengths[index] > _SCORED):
            parts.append([])
        parts[-1].append(index)
    return parts if parts[0] else []


def _score_rest(network: PreTrainedModel, cache: Any, read: int, options: Sequence[Sequence[int]]) -> list[float]:
    """Log-probability of every token but the first of each option, given a cache of the `read` tokens of the prefix."""
    import torch

    device = next(network.parameters()).device
    branch = copy.deepcopy(cache)
    branch.batch_repeat_interleave(len(options))
    longest = max(map(len, options)) - 1
    # Padding stands on the right, where causal attention never looks back at it: no mask is needed.
    tokens = torch.zeros(len(options), longest + 1, dtype=torch.long)
    for row, option in enumerate(options):
        tokens[row, : len(option)] = torch.tensor(option)
    tokens = tokens.to(device)
    positions = torch.arange(read, read + longest, device=device).expand(len(options), -1)
    logits = network(input_ids=tokens[:, :-1], position_ids=positions, past_key_values=branch, use_cache=True).logits
    logprobs = logits.float().log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
    return [float(logprobs[row, : len(option) - 1].sum()) for row, option in enumerate(options)]


def _read_shared(network: PreTrainedModel, prompts: Sequence[list[int]]) -> tuple[Any, int]:
    """A cache of the tokens with which all prompts begin, read once and repeated for every prompt, and their number."""
    import torch
    from transformers import DynamicCache

    cache = DynamicCache(config=network.config)
    first, last = min(prompts), max(prompts)  # in lexical order these two differ first
    differ = (place for place, (one, other) in enumerate(zip(first[:-1], last[:-1], strict=False)) if one != other)
    shared = next(differ, min(len(prompt) for prompt in prompts) - 1) if len(prompts) > 1 else 0
    if shared < _WORTH_SHARING:
        return cache, 0
    start = torch.tensor([list(prompts[0][:shared])], device=next(network.parameters()).device)
    network(input_ids=start, past_key_values=cache, use_cache=True, logits_to_keep=1)
    cache.batch_repeat_interleave(len(prompts))
    return cache, shared


def _left_padded(prompts: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    longest = max(map(len, prompts))
    tokens = torch.full((len(prompts), longest), pad)
    mask = torch.zeros(len(prompts), longest, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        tokens[row, longest - len(prompt) :] = torch.tensor(prompt)
        mask[row, longest - len(prompt) :] = 1
    return tokens, mask


def _write_next(logits: torch.Tensor, going: Sequence[Writing], ends: Collection[int]) -> torch.Tensor:
    """Choose one token a row, note it and its log-probability, and return the choices, shape (rows,)."""
    chosen = logits.argmax(-1)
    for row, writing in enumerate(going):
        if writing.allowed is not None or writing.temperature > 0:
            chosen[row] = _pick(logits[row], writing)
    logprobs = logits.gather(-1, chosen[:, None])[:, 0] - logits.logsumexp(-1)
    for writing, token, logprob in zip(going, chosen.tolist(), logprobs.tolist(), strict=True):
        writing.tokens.append(token)
        writing.logprob += min(logprob, 0.0)
        writing.ended = token in ends
        if writing.allowed is not None:
            writing.allowed = writing.allowed[token]
    return chosen


def _pick(logits: torch.Tensor, writing: Writing) -> int:
    import torch

    allowed = list(range(len(logits))) if writing.allowed is None else list(writing.allowed)
    those = logits if writing.allowed is None else logits[allowed]
    if writing.temperature <= 0:
        return allowed[int(those.argmax())]
    # Drawn on the CPU in double precision: the same seed draws the same token on every device.
    chances = (those.double().cpu() / writing.temperature).softmax(-1)
    return allowed[int(torch.multinomial(chances, 1, generator=writing.generator))]
