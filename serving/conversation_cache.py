"""What a model has read of one conversation, so that the next turn reads only what is new."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

if TYPE_CHECKING:
    import torch

LONGEST = 8192
"""Most tokens of a conversation that are kept; of what is longer nothing is."""
KEPT = 8192
"""Most tokens of all conversations that are kept beside the one that goes on: 190 MB with the default model."""


@dataclass(eq=False)
class ConversationCache:
    """Keys and values of what was read of one conversation, layer by layer, each `(heads, length, width)`.

    Whoever leads a conversation makes one, hands it over with each of its requests and lets it go at the end: nothing that was read for
    one is ever used for another. It is empty until a reply was written. A prompt that goes on otherwise than what was read uses the
    beginning that both share.
    """

    tokens: list[int] = field(default_factory=list, repr=False)
    """What was read, in its order."""
    layers: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list, repr=False)
    """Keys and values of these tokens."""
    _network: ReferenceType[Any] | None = field(default=None, repr=False)

    def shared(self, network: Any, tokens: Sequence[int]) -> int:
        """With how many of the tokens that this network read another prompt begins; its last token is always read anew."""
        if self._network is None or self._network() is not network:
            return 0
        pairs = zip(self.tokens, tokens[:-1], strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    def keep(self, network: Any, tokens: Sequence[int], batch: Any, row: int, columns: torch.Tensor) -> None:
        """Keep what the cache of a batch holds of a row: the keys and values in `columns` are those of `tokens`."""
        if len(tokens) > LONGEST:
            self.tokens, self.layers, self._network = [], [], None
            return
        self.layers = [(layer.keys[row][:, columns], layer.values[row][:, columns]) for layer in batch.layers]
        self.tokens, self._network = list(tokens), ref(network)


class ConversationCaches:
    """The caches of conversations that somebody else leads, each by its name; the ones that did not go on for longest are let go.

    A name has to tell tenants and sessions apart: see `ConversationCache`. Thread-safe.
    """

    def __init__(self, kept: int = KEPT) -> None:
        """`kept` is the most tokens of all of them, but for the one that was asked for last."""
        self._kept = kept
        self._of: OrderedDict[str, ConversationCache] = OrderedDict()
        self._lock = Lock()

    def of(self, name: str) -> ConversationCache | None:
        """The cache of a conversation, empty where it is new; None for one without a name."""
        if not name:
            return None
        with self._lock:
            cache = self._of.setdefault(name, ConversationCache())
            self._of.move_to_end(name)
            # Each counts for one token more than it has, so that empty ones come to an end too.
            while len(self._of) > 1 and sum(1 + len(one.tokens) for one in self._of.values()) - len(cache.tokens) > self._kept:
                self._of.popitem(last=False)
            return cache


def can_keep(batch: Any) -> bool:
    """Whether all layers of a batch's cache are keys and values in a row: others (windows, states) cannot be cut."""
    from transformers.cache_utils import DynamicLayer

    return all(type(layer) is DynamicLayer and layer.is_initialized for layer in batch.layers)


def side_by_side(empty: Any, caches: Sequence[ConversationCache | None], shared: Sequence[int]) -> torch.Tensor:
    """Fill an empty cache of transformers with the first `shared[row]` tokens of each conversation's, one a row.

    Returns the mask `(rows, length)` of them.

    They stand at the right, next to what comes; what is before the shorter ones is masked.
    """
    import torch

    rows, length = len(shared), max(shared)
    first = next(cache for cache, count in zip(caches, shared, strict=True) if cache is not None and count)
    mask = torch.zeros(rows, length, dtype=torch.long, device=first.layers[0][0].device)
    for row, count in enumerate(shared):
        mask[row, length - count :] = 1
    for place, sample in enumerate(first.layers):
        filled = [part.new_zeros(rows, part.shape[0], length, part.shape[2]) for part in sample]
        for row, (cache, count) in enumerate(zip(caches, shared, strict=True)):
            if cache is not None and count:
                for whole, part in zip(filled, cache.layers[place], strict=True):
                    whole[row, :, length - count :] = part[:, :count]
        empty.update(*filled, place)
    return mask
