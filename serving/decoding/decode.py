"""Decoding and scoring with a key-value cache: the two loops that the embedded engine runs."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..conversation_cache import ConversationCache, can_keep, side_by_side
from .loops import NOTHING_NEW, Novelty, repeats

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_WORTH_SHARING = 16
"""Tokens of a common beginning from which on reading it once is faster than reading it with every prompt."""

_SCORED = 512
"""Tokens scored at once; with 50 000 words their logits and log-probabilities take a fifth of a gigabyte in float32."""

Trie = dict[int, Any]
"""Token -> what may follow. The end marker leads to an empty trie."""


class Constraint(Protocol):
    """What a reply may be; it follows the reply token by token."""

    def mask(self, logits: torch.Tensor) -> torch.Tensor:
        """The logits, shape (words,), with minus infinity where a token is not allowed."""

    def forced(self) -> list[int]:
        """Note and return the tokens that alone can follow; empty where there is a choice."""

    def take(self, token: int) -> list[int]:
        """Note a chosen token; returns what it forces, as `forced` does."""


class Options:
    """A `Constraint` to one of some sequences of tokens, walked as a trie; each of their tokens counts as chosen."""

    def __init__(self, options: Sequence[Sequence[int]], end: int) -> None:
        self._node = options_trie(options, end)

    def mask(self, logits: torch.Tensor) -> torch.Tensor:
        """See `Constraint`."""
        allowed = list(self._node)
        masked = logits.new_full(logits.shape, -math.inf)
        masked[allowed] = logits[allowed]
        return masked

    def forced(self) -> list[int]:
        """See `Constraint`."""
        return []

    def take(self, token: int) -> list[int]:
        """See `Constraint`."""
        self._node = self._node[token]
        return []


@dataclass(kw_only=True)
class Writing:
    """One reply while it is written."""

    prompt: list[int]
    """Tokens read."""
    limit: int
    """Most tokens to write, the end marker included."""
    temperature: float = 0.0
    """0 is greedy."""
    top_p: float = 1.0
    """Sample among the likeliest tokens that together have at least this probability."""
    presence_penalty: float = 0.0
    """Taken from the logit of each token that was written."""
    frequency_penalty: float = 0.0
    """Taken from the logit of each token as often as it was written."""
    generator: torch.Generator | None = None
    """The reply's own source of chance, so that its neighbours in the batch do not change what is drawn."""
    constraint: Constraint | None = None
    """What may be written; None: anything."""
    watch: Callable[[Sequence[int]], bool] | None = None
    """Shown the tokens as they are written, without the end marker; True ends the reply."""
    unlimited: bool = False
    """Whether nobody limited its length but the model's context. A greedy model that repeats itself does so until that is full, minutes
    later, while others wait; such a reply ends, as one that was too long."""
    cache: ConversationCache | None = None
    """What was read of its conversation before; what is read now is kept there."""
    reused: int = 0
    """Tokens of the prompt that were not read again."""
    tokens: list[int] = field(default_factory=list)
    """Tokens written, the end marker included."""
    logprobs: list[float] = field(default_factory=list)
    """Their natural-log probabilities under the unconstrained model at temperature 1; 0 for tokens that a constraint forces."""
    chosen: int = 0
    """How many of them the model chose."""
    ended: bool = False
    """Whether the end marker was written."""
    stopped: bool = False
    """Whether `watch` ended it."""
    looping: bool = False
    """Whether it was given up because it only repeated itself."""
    novelty: Novelty = field(default_factory=Novelty)
    """What it says that is new; where there is nothing for long, it is looping too."""

    @property
    def going(self) -> bool:
        """Whether it wants another token."""
        return not self.ended and not self.stopped and not self.looping and len(self.tokens) < self.limit

    @property
    def logprob(self) -> float:
        """Sum of the log-probabilities."""
        return math.fsum(self.logprobs)

    @property
    def steered(self) -> bool:
        """Whether its next token may be another than the likeliest."""
        return self.constraint is not None or self.temperature > 0 or bool(self.presence_penalty or self.frequency_penalty)

    def begin(self) -> list[int]:
        """What is read before the first token is chosen: the prompt, and what the constraint forces."""
        self._write(self.constraint.forced() if self.constraint else [])
        return [*self.prompt, *self.tokens]

    def take(self, token: int, logprob: float, *, ends: bool) -> list[int]:
        """Write a chosen token and what it forces; returns what is read next."""
        before = len(self.tokens)
        self.chosen += 1
        self.logprobs.append(logprob)
        if ends:
            self.tokens.append(token)
            self.ended = True
            return [token]
        self._write([token, *(self.constraint.take(token) if self.constraint else ())])
        self.looping = self.unlimited and (repeats(self.tokens) or self.novelty.stale(self.tokens) >= NOTHING_NEW)
        return self.tokens[before:]

    def _write(self, tokens: Sequence[int]) -> None:
        tokens = tokens[: self.limit - len(self.tokens)]
        self.tokens += tokens
        self.logprobs += [0.0] * (len(self.tokens) - len(self.logprobs))
        if tokens and self.watch is not None:
            self.stopped = self.watch(tokens)


def options_trie(options: Sequence[Sequence[int]], end: int) -> Trie:
    """A trie of token sequences, each closed by `end`."""
    root: Trie = {}
    for option in options:
        node = root
        for token in (*option, end):
            node = node.setdefault(token, {})
    return root


class Batch:
    """Replies that are written together, a forward pass at a time.

    What all prompts begin with (the instructions of an environment) is read once, and what was read of a conversation before is not
    read again, as in prefix sharing (Zheng et al. 2024, "SGLang", https://arxiv.org/abs/2312.07104, section 3); rows leave the batch as
    soon as they end. A reply constrained to given choices walks a trie of their tokens, the finite case of constrained decoding (De Cao
    et al. 2021, "Autoregressive Entity Retrieval", https://arxiv.org/abs/2010.00904, section 3.2). Tokens that a constraint forces are
    read in one pass with the token before them.
    """

    def __init__(self, network: PreTrainedModel, writings: Sequence[Writing], *, ends: Collection[int], pad: int) -> None:
        import torch

        self._network, self._ends, self._pad = network, ends, pad
        begun = [(writing, writing.begin()) for writing in writings]
        self._going = [writing for writing, _ in begun if writing.going]
        self._unread = [tokens for writing, tokens in begun if writing.going]
        self._cache: Any = None
        self._device = next(network.parameters()).device
        self._mask = torch.zeros(len(self._going), 0, dtype=torch.long, device=self._device)
        # An index, not the number 1: the slice that a number makes is not contiguous, and multiplying it with the output head
        # then copies the head once a row (a gigabyte and a third of the time for 16 rows).
        self._last = torch.tensor([-1], device=self._device)

    def step(self) -> bool:
        """Write the next token of every reply that goes on, and what it forces; whether any goes on then."""
        import torch

        if not self._going:
            return False
        with torch.inference_mode():
            if self._cache is None:
                self._begin()
            tokens, read = (part.to(self._device) for part in _left_padded(self._unread, self._pad))
            self._mask = torch.cat([self._mask, read], dim=1)
            positions = (self._mask.cumsum(-1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
            logits = self._network(
                input_ids=tokens,
                attention_mask=self._mask,
                position_ids=positions,
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=self._last,
            ).logits[:, -1]
            self._unread = _write_next(logits.float(), self._going, self._ends)
            self._keep([row for row, writing in enumerate(self._going) if writing.going])
        return bool(self._going)

    def _begin(self) -> None:
        """Take up what was read before, or read what all prompts begin with."""
        caches = [writing.cache for writing in self._going]
        reused = [
            cache.shared(self._network, tokens) if cache is not None else 0 for cache, tokens in zip(caches, self._unread, strict=True)
        ]
        if max(reused) >= _WORTH_SHARING:
            from transformers import DynamicCache

            self._cache = DynamicCache(config=self._network.config)
            self._mask = side_by_side(self._cache, caches, reused)
            for writing, count in zip(self._going, reused, strict=True):
                writing.reused = count
        else:
            self._cache, shared = _read_shared(self._network, self._unread)
            self._mask = self._mask.new_ones(len(self._going), shared)
            reused = [shared] * len(self._going)
        self._unread = [tokens[count:] for tokens, count in zip(self._unread, reused, strict=True)]

    def _keep(self, rows: list[int]) -> None:
        """Go on with these rows alone."""
        import torch

        if len(rows) == len(self._going):
            return
        for row, writing in enumerate(self._going):
            if writing.cache is not None and not writing.going and can_keep(self._cache):
                columns = self._mask[row].nonzero()[:, 0]
                read = [*writing.prompt, *writing.tokens][: len(columns)]
                writing.cache.keep(self._network, read, self._cache, row, columns)
        self._going = [self._going[row] for row in rows]
        self._unread = [self._unread[row] for row in rows]
        if rows:
            kept = torch.tensor(rows, device=self._device)
            self._cache.batch_select_indices(kept)
            self._mask = self._mask[kept]


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


def _write_next(logits: torch.Tensor, going: Sequence[Writing], ends: Collection[int]) -> list[list[int]]:
    """Choose one token a row and write it with what it forces; returns what each row reads next. Logits have the shape (rows, words)."""
    chosen = logits.argmax(-1)
    for row, writing in enumerate(going):
        if writing.steered:
            chosen[row] = _pick(logits[row], writing)
    logprobs = logits.gather(-1, chosen[:, None])[:, 0] - logits.logsumexp(-1)
    return [
        writing.take(token, min(logprob, 0.0), ends=token in ends)
        for writing, token, logprob in zip(going, chosen.tolist(), logprobs.tolist(), strict=True)
    ]


def _pick(logits: torch.Tensor, writing: Writing) -> int:
    import torch

    if writing.tokens and (writing.presence_penalty or writing.frequency_penalty):
        # https://platform.openai.com/docs/api-reference/chat: what was written counts, what was read does not.
        counts = torch.bincount(torch.tensor(writing.tokens), minlength=len(logits)).to(logits.device)
        logits = logits - writing.presence_penalty * (counts > 0) - writing.frequency_penalty * counts
    if writing.constraint is not None:
        logits = writing.constraint.mask(logits)
    if writing.temperature <= 0:
        return int(logits.argmax())
    # Drawn on the CPU in double precision: the same seed draws the same token on every device.
    chances = (logits.double().cpu() / writing.temperature).softmax(-1)
    if writing.top_p < 1:
        chances = _nucleus(chances, writing.top_p)
    return int(torch.multinomial(chances, 1, generator=writing.generator))


def _nucleus(chances: torch.Tensor, top_p: float) -> torch.Tensor:
    """The smallest set of likeliest tokens with a probability of at least `top_p`, all others 0; not normalised.

    Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", https://arxiv.org/abs/1904.09751, section 3.1.
    """
    ordered, tokens = chances.sort(descending=True)
    outside = ordered.cumsum(-1) - ordered >= top_p
    chances = chances.clone()
    chances[tokens[outside]] = 0.0
    return chances
