"""The engine that runs the model in this process, with transformers and peft."""

from __future__ import annotations

import copy
import time
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core import Adapter, AdapterRejected, EngineUnreachable, MalformedTask, ModelCorrupt, NothingFound, Settings, Usage, check_cancelled
from ..core.extras import require
from .adapter_files import check_adapter
from .decoding.attention import attention_for
from .decoding.decode import Batch, Options, Writing, score
from .decoding.fair_lock import FairLock
from .decoding.grammar import Grammars, grammar_of
from .decoding.loops import Novelty, number_tokens
from .decoding.reply import WrittenReply
from .download import quiet_transformers
from .engine import ChatPiece, ChatReply, ChatRequest, Choice, check_options
from .models import locate
from .process_memory import give_back_memory
from .prompts import ChatPrompts

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_MAX_RANK = 512


def open_embedded(settings: Settings) -> EmbeddedEngine:
    """The engine that `model.engine = "embedded"` means."""
    return EmbeddedEngine(locate(settings.model.name))


class EmbeddedEngine:
    """An `Engine` in this process. Thread-safe: one lock, held for a token at a time, so that batches under way take turns.

    A published adapter is merged into a copy of the layers that it changes (`W + s B A`, computed in float32), so that it
    answers as fast as the base; all else is shared with the base. `resident` merged copies are kept, the others are merged
    again from their immutable directories when asked for.

    Greedy replies are the same for the same batch. In bfloat16 the neighbours in a batch may tip a tie; sampled replies draw
    from a generator of their own, so that neighbours change nothing else.
    """

    network: PreTrainedModel
    """The base model, never changed by adapters; a trainer may share its weights (`shared_copy`) but not write to them."""
    tokenizer: Any
    """The model's tokenizer, with its chat template."""
    path: Path
    """The model's directory."""

    def __init__(
        self,
        model: str | Path,
        *,
        threads: int | None = None,
        dtype: str = "auto",
        device: str = "auto",
        batch_size: int = 16,
        resident: int = 3,
    ) -> None:
        """Load `model`: a directory, a known name or a hub id.

        `threads` is the number of CPU threads of torch, for the whole process; None leaves it alone. `dtype` is `bfloat16`,
        `float32` or `auto` (bfloat16 where the processor multiplies it natively). `device` is `cpu`, `cuda` or `auto`.
        Raises `PackageMissing` without the extra `local`, `ModelMissing` or `ModelCorrupt`.
        """
        require("torch", "transformers")
        import torch

        if threads is not None:
            torch.set_num_threads(threads)
        self._model = str(model)
        self.path = locate(model)
        self._device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        self._batch_size = batch_size
        self._resident = resident
        self._lock = FairLock()
        self._closed = False
        self._published: dict[str, Adapter] = {}
        self._merged: OrderedDict[str, PreTrainedModel] = OrderedDict()
        self.network, self.tokenizer = _load(self.path, _dtype(dtype, self._device), self._device)
        self._prompts = ChatPrompts(self.tokenizer)
        generation: Any = self.network.generation_config
        configured = generation.eos_token_id
        known = configured if isinstance(configured, list) else [configured]
        self._ends = frozenset(token for token in (*known, self.tokenizer.eos_token_id) if token is not None)
        self._end: int = self.tokenizer.eos_token_id
        self._pad: int = self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else self._end
        self._context = int(getattr(self.network.config, "max_position_embeddings", 1 << 20))

    @property
    def model(self) -> str:
        """Name or path of the base model, as it was given."""
        return self._model

    @property
    def grammars(self) -> bool:
        """Whether a request's grammar can be followed: the package llguidance is there."""
        return find_spec("llguidance") is not None

    @property
    def context(self) -> int:
        """Tokens that a prompt and its answer may have together."""
        return self._context

    def chat(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Next turns, one a request and in their order; adapters may differ within the batch.

        Raises `NothingFound` for an adapter that is not published, `MalformedTask` for a request that does not fit, `Cancelled` between
        two tokens where `cancelled_by` says so.
        """
        started = time.perf_counter()
        with self._lock:
            self._check_open()
            replies = [self._begin(request) for request in requests]
            adapters = {request.adapter: self._adapter(request.adapter) for request in requests}
        for name, adapter in adapters.items():
            mine = [reply.writing for reply in replies if reply.request.adapter == name]
            with self._lock:
                self._check_open()
                network = self._network(adapter)
            mine.sort(key=lambda writing: len(writing.prompt))
            for start in range(0, len(mine), self._batch_size):
                self._decode(network, mine[start : start + self._batch_size])
        seconds = (time.perf_counter() - started) / max(1, len(requests))
        return [reply.end(seconds) for reply in replies]

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        """The next turn, a piece for each token whose text is certain; raises as `chat` does, before the first piece.

        Between two tokens others have their turn, so a slow reader holds nobody up. A closed iterator computes nothing more, and where
        `cancelled_by` says so none is computed either (`Cancelled`). An adapter that is retired meanwhile writes the reply to its end.
        """
        seconds = -time.perf_counter()
        with self._lock:
            self._check_open()
            reply = self._begin(request)
            texts = reply.follow()
            batch = Batch(self._network(self._adapter(request.adapter)), [reply.writing], ends=self._ends, pad=self._pad)
        seconds += time.perf_counter()
        try:
            going = True
            while going:
                check_cancelled()
                seconds -= time.perf_counter()
                with self._lock:
                    self._check_open()
                    going = batch.step()
                seconds += time.perf_counter()
                text = "".join(texts)
                texts.clear()
                if text:
                    yield ChatPiece(text=text)
            before = len(reply.text.text)
            whole = reply.end(seconds)
            yield ChatPiece(text=whole.text[before:], reply=whole)
        finally:
            give_back_memory()

    def choose(self, request: ChatRequest, options: Sequence[str]) -> Choice:
        """Rank `options` by the mean log-probability of their tokens after the prompt, the end marker left out.

        The prompt is read once for all options. Raises as `chat` does, and `MalformedTask` for an empty option.
        """
        if not options or not all(options):
            raise MalformedTask(f"options must be non-empty strings, got {list(options)!r}")
        started = time.perf_counter()
        with self._lock:
            self._check_open()
            prefix = self._prompt(request)
            tokens = [self._tokens(option) for option in options]
            self._check_length(len(prefix) + max(map(len, tokens)))
            logprobs = score(self._network(self._adapter(request.adapter)), prefix, tokens, batch_size=self._batch_size)
            give_back_memory()
        read = len(prefix) + sum(map(len, tokens))
        return Choice(
            index=max(range(len(options)), key=logprobs.__getitem__),
            logprobs=tuple(logprobs),
            usage=Usage(prompt_tokens=read, seconds=time.perf_counter() - started),
        )

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, without markers."""
        return len(self._tokens(text))

    def publish(self, adapter: Adapter) -> None:
        """Check and merge an adapter, ready for the next request. Publishing the same one again does nothing.

        Raises `AdapterRejected` when it does not fit, or when its name already means another directory.
        """
        bases = {self._model, self.path.name}
        check_adapter(adapter, bases=bases, max_rank=_MAX_RANK)
        with self._lock:
            self._check_open()
            before = self._published.get(adapter.name)
            if before is not None and Path(before.path).resolve() != Path(adapter.path).resolve():
                raise AdapterRejected(f"adapter {adapter.name} is already published from {before.path}; give the new one a new name")
            self._published[adapter.name] = adapter
            try:
                self._network(adapter)
            except AdapterRejected:
                del self._published[adapter.name]
                raise

    def retire(self, name: str) -> None:
        """Take an adapter away; replies under way are written to their end. Unknown names are ignored."""
        with self._lock:
            self._published.pop(name, None)
            self._merged.pop(name, None)

    def close(self) -> None:
        """Give back memory. May be called twice; any other call afterwards raises `EngineUnreachable`."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._published.clear()
                self._merged.clear()
                del self.network

    def _decode(self, network: PreTrainedModel, writings: Sequence[Writing]) -> None:
        """Write the replies of one batch into `writings`; between two tokens others have their turn."""
        try:
            batch = Batch(network, writings, ends=self._ends, pad=self._pad)
            going = True
            while going:
                check_cancelled()
                with self._lock:
                    self._check_open()
                    going = batch.step()
        finally:
            give_back_memory()

    def _check_open(self) -> None:
        if self._closed:
            raise EngineUnreachable(f"the embedded engine for {self._model} was closed; open a new one")

    def _adapter(self, name: str) -> Adapter | None:
        """A published adapter; None for the base. Raises `NothingFound`."""
        if name and name not in self._published:
            raise NothingFound(f"adapter {name} is not published here; publish it, or ask for one of {sorted(self._published)}")
        return self._published[name] if name else None

    def _network(self, adapter: Adapter | None) -> PreTrainedModel:
        """The base, or the base with `adapter` merged in; the least recently used merged copy is dropped where there are too many."""
        if adapter is None:
            return self.network
        if self._published.get(adapter.name) is not adapter:
            return merged_copy(self.network, adapter)  # retired since the request was taken
        if adapter.name not in self._merged:
            while len(self._merged) >= self._resident:
                self._merged.popitem(last=False)
            self._merged[adapter.name] = merged_copy(self.network, adapter)
        self._merged.move_to_end(adapter.name)
        return self._merged[adapter.name]

    def _prompt(self, request: ChatRequest) -> list[int]:
        return self._prompts.tokens(request.messages, request.tools)

    def _tokens(self, text: str) -> list[int]:
        return self._prompts.plain_tokens(text)

    def _check_length(self, length: int) -> None:
        if length > self._context:
            raise MalformedTask(f"the request needs {length} tokens and {self._model} reads {self._context}; shorten it")

    def _begin(self, request: ChatRequest) -> WrittenReply:
        import torch

        check_options(request)
        prompt = self._prompt(request)
        room = self._context - len(prompt)
        limit = room if request.max_tokens is None else min(request.max_tokens, room)
        writing = Writing(
            prompt=prompt, limit=limit, unlimited=request.max_tokens is None, temperature=request.temperature, cache=request.cache
        )
        if request.choices:
            options = [self._tokens(choice) for choice in request.choices]
            writing.constraint, writing.limit = Options(options, self._end), max(map(len, options)) + 1
        elif grammar := grammar_of(request):
            writing.constraint = self._grammars.constraint(grammar, own=bool(request.grammar))
        self._check_length(len(prompt) + (writing.limit if request.choices else 1))
        if request.temperature > 0:
            writing.generator, writing.top_p = torch.Generator().manual_seed(request.seed), request.top_p
        if request.tools:
            # A call is no place to count in: a list of numbers has no end that a small model finds.
            writing.novelty = Novelty(alike=self._numbers)
        writing.presence_penalty, writing.frequency_penalty = request.presence_penalty, request.frequency_penalty
        return WrittenReply(request, writing, self._decoded)

    @cached_property
    def _numbers(self) -> frozenset[int]:
        return number_tokens(self.tokenizer.get_vocab())

    @cached_property
    def _grammars(self) -> Grammars:
        return Grammars(self.tokenizer, words=self.network.config.vocab_size, ends=[self._end, *(self._ends - {self._end})])

    def _decoded(self, tokens: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(list(tokens), skip_special_tokens=True)
        return text


def shared_copy(network: PreTrainedModel) -> PreTrainedModel:
    """A copy with modules of its own and the same weights in memory: layers may be wrapped or replaced in it alone."""
    return copy.deepcopy(network, {id(weight): weight for weight in network.parameters()})


def merged_copy(network: PreTrainedModel, adapter: Adapter) -> PreTrainedModel:
    """A copy of `network` with a LoRA merged in; layers without one share the base's memory.

    `W' = W + s B A`, s = alpha / rank (Hu et al. 2021, "LoRA", https://arxiv.org/abs/2106.09685, section 4.1), computed in float32 and
    rounded once, so that nothing adds up over publications. Raises `AdapterRejected` when names or shapes do not fit.
    """
    import torch
    from peft import PeftModel
    from peft.tuners.lora import LoraLayer
    from safetensors import safe_open

    try:
        with quiet_transformers(), warnings.catch_warnings():
            warnings.filterwarnings("error", message="Found missing adapter keys")
            adapted = PeftModel.from_pretrained(shared_copy(network), adapter.path)
        layers = [module for module in adapted.modules() if isinstance(module, LoraLayer)]
        with safe_open(Path(adapter.path) / "adapter_model.safetensors", framework="pt") as file:
            saved = sum(key.endswith(".lora_A.weight") for key in file.keys())  # noqa: SIM118 (not a mapping)
    except (RuntimeError, ValueError, KeyError, UserWarning) as error:
        reason = str(error).strip().splitlines()[0]
        raise AdapterRejected(
            f"adapter {adapter.name} does not fit the layers of {adapter.base} ({reason}); train it on this base"
        ) from error
    if len(layers) != saved:
        raise AdapterRejected(
            f"adapter {adapter.name} holds {saved} layers of which {len(layers)} exist in {adapter.base}; train it on this base"
        )
    with torch.no_grad():
        for layer in layers:
            linear: Any = layer.get_base_layer()
            delta: Any = layer.get_delta_weight
            changed = linear.weight.float() + delta("default").float()
            linear.weight = torch.nn.Parameter(changed.to(linear.weight.dtype), requires_grad=False)
    plain: PreTrainedModel = adapted.unload()
    return plain


def _load(path: Path, dtype: torch.dtype, device: str) -> tuple[PreTrainedModel, Any]:
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    try:
        with quiet_transformers():
            config = AutoConfig.from_pretrained(path, trust_remote_code=False)
            attention = attention_for(config.model_type, device)
            network = AutoModelForCausalLM.from_pretrained(
                path, config=config, dtype=dtype, attn_implementation=attention, trust_remote_code=False, use_safetensors=True
            )
            tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
    except (OSError, ValueError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelCorrupt(f"the model in {path} cannot be loaded ({reason}); run `lifelong models pull --force {path.name}`") from error
    if tokenizer.chat_template is None:
        raise ModelCorrupt(f"the tokenizer in {path} has no chat template; use an instruction-tuned model")
    network.train(False).requires_grad_(False)
    moved: Any = network
    return moved.to(device), tokenizer


def _dtype(name: str, device: str) -> torch.dtype:
    import torch

    native = device != "cpu" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "auto": torch.bfloat16 if native else torch.float32}[name]
