"""Training an adapter on judged answers, whatever the objective, inside bounds and a budget of tokens."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.extras import require
from ...core.paths import AnyPath
from ...serving import ChatPrompts, give_back_memory, quiet_transformers
from ..adapters.lora import Recipe, TrainingProgress, TrainingReport, open_network, precision, write_adapter
from ..adapters.samples import Sample
from .batch import ContrastBatch, ContrastObjective
from .guards import Guards, broken, mean_divergence
from .rows import AnswerRow, JudgedSample, Unit, batches, tensors, units

if TYPE_CHECKING:
    from torch import Tensor

DEFAULT_GUARDS = Guards()
"""The bounds where none are named."""
NEEDED = {"pairs": "a failure beside a success at the same task", "successes": "a success", "all": "a judged answer"}
"""What an objective cannot do without."""
PART = 4
"""Rows that go through the network at once: as fast on CPU as more, and less memory. Even, so that pairs stay together."""


class NothingToLearn(ValueError):
    """Of the judged answers there is none that the objective learns from."""


@dataclass(frozen=True, kw_only=True)
class ContrastReport:
    """How a training on contrasts went."""

    training: TrainingReport
    """Its size, seconds and losses; `tokens` are all that were read in its steps, padding left out."""
    reference_tokens: int
    """Tokens read once more by the model that training began with."""
    processor_seconds: float
    """Seconds of the processor, reference and looks included."""
    drift: float
    """Divergence from the model that training began with at the last look, in nats a token."""
    stopped: str
    """Which bound ended it early; empty where it ran to its end."""


def train_contrast(
    samples: Sequence[JudgedSample],
    objective: ContrastObjective,
    recipe: Recipe,
    directory: AnyPath,
    *,
    budget: int = 0,
    guards: Guards = DEFAULT_GUARDS,
    probes: Sequence[Sample] = (),
    progress: TrainingProgress | None = None,
    provenance: str = "",
) -> ContrastReport:
    """Train on judged answers and write the adapter to `directory`, which must not exist.

    It goes on from `recipe.start`, or from the base; that is what drift is measured from, on `probes`, which are not trained on, and what
    the objective's ratios are to. `budget` is how many tokens are read, in place of `recipe.epochs`; tokens that the reference reads
    count too. Where a bound of `guards` is broken the adapter is as at the last look that found none, and the report says why.

    Raises `NothingToLearn` where there is nothing that the objective learns from, and as `train_lora` does.
    """
    directory = Path(directory)
    if directory.exists():
        raise ValueError(f"{directory} exists; adapters are immutable, take a new name")
    require("torch", "transformers", "peft")
    from peft.helpers import disable_input_dtype_casting

    set_seeds(recipe.seed)
    found = ContrastData.of(samples, objective, recipe, probes)
    model = opened(recipe)
    with disable_input_dtype_casting(model):
        report = fit(model, found, objective, recipe, budget=budget, guards=guards, progress=progress)
    write_adapter(model, report.training, recipe, directory, provenance)
    del model
    gc.collect()
    give_back_memory()
    return report


def set_seeds(seed: int) -> None:
    """Let every draw of the libraries follow from the seed."""
    from transformers import set_seed

    set_seed(seed)


def opened(recipe: Recipe) -> Any:
    """The network that training goes on from, with an adapter to train."""
    import torch

    with quiet_transformers():
        return open_network(recipe, torch)


@dataclass(frozen=True, kw_only=True)
class ContrastData:
    """What is learned from, in tokens."""

    samples: int
    """Judged answers that were given."""
    units: tuple[Unit, ...]
    """What the objective learns from."""
    probes: tuple[AnswerRow, ...]
    """What drift is measured on."""
    pad: int
    """The token that fills rows up."""

    @classmethod
    def of(cls, samples: Sequence[JudgedSample], objective: ContrastObjective, recipe: Recipe, probes: Sequence[Sample]) -> ContrastData:
        """Read by the base's tokenizer. Raises `NothingToLearn` where there is nothing that the objective learns from."""
        from transformers import AutoTokenizer

        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(recipe.base, trust_remote_code=False)
        prompts, end = ChatPrompts(tokenizer), tokenizer.eos_token_id
        found = units(samples, objective.learns_from, prompts, recipe.max_length, end)
        if not found:
            raise NothingToLearn(f"nothing to learn from: this objective needs {NEEDED[objective.learns_from]}")
        each = [JudgedSample(sample=probe, success=True, group=str(place)) for place, probe in enumerate(probes)]
        looked_at = tuple(row for (row,) in units(each, "all", prompts, recipe.max_length, end))
        return cls(samples=len(samples), units=tuple(found), probes=looked_at, pad=tokenizer.pad_token_id or 0)


def fit(
    model: Any,
    taught: ContrastData,
    objective: ContrastObjective,
    recipe: Recipe,
    *,
    budget: int,
    guards: Guards,
    progress: TrainingProgress | None,
) -> ContrastReport:
    """Train whatever of a model wants a gradient."""
    begun, processor = time.perf_counter(), time.process_time()
    run = _Training(model, objective, recipe, guards, taught.pad)
    run.begin({row for unit in taught.units for row in unit}, taught.probes)
    left = max(1, budget - run.reference_tokens) if budget else 0
    steps = batches(taught.units, recipe.batch_size, left, recipe.epochs, recipe.seed)
    run.go(steps, progress)
    tokens = sum(len(row.ids) for batch in steps[: len(run.losses)] for row in batch)
    return run.report(taught.samples, tokens, time.perf_counter() - begun, time.process_time() - processor)


@dataclass
class _Training:
    """The loop: what it keeps between steps."""

    model: Any
    objective: ContrastObjective
    recipe: Recipe
    guards: Guards
    pad: int
    losses: list[float] = field(default_factory=list)
    reference_tokens: int = 0
    drift: float = 0.0
    stopped: str = ""

    def begin(self, rows: set[AnswerRow], probes: Sequence[AnswerRow]) -> None:
        """Read what the model says before the first step: to the answers, where the objective compares, and to the probes."""
        import torch

        self._reference: dict[AnswerRow, Tensor] = {}
        self._probes = probes
        self.model.eval()
        with torch.no_grad():
            ordered = sorted(rows, key=lambda row: (len(row.ids), row.ids)) if self.objective.needs_reference else []
            for start in range(0, len(ordered), PART):
                part = ordered[start : start + PART]
                given, answered = self._log_probs(part)
                self.reference_tokens += sum(len(row.ids) for row in part)
                for place, row in enumerate(part):
                    self._reference[row] = given[place, : int(answered[place].sum())]
            self._before = [self._distribution(row) for row in self._probes]

    def go(self, steps: Sequence[Sequence[AnswerRow]], progress: TrainingProgress | None) -> None:
        """Take the steps, looking at the bounds now and then."""
        import torch
        from transformers import get_cosine_schedule_with_warmup

        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        optimiser = torch.optim.AdamW(trained, lr=self.recipe.learning_rate, betas=(0.9, 0.99), weight_decay=0.0)
        schedule = get_cosine_schedule_with_warmup(optimiser, max(1, len(steps) // 20), len(steps))
        kept, falls = [parameter.detach().clone() for parameter in trained], list[float]()
        self.model.train()
        for number, step in enumerate(steps, start=1):
            loss = 0.0
            for start in range(0, len(step), PART):
                part = step[start : start + PART]
                batch = self._batch(part)
                value = self.objective.loss(batch) * (len(part) / len(step))
                value.backward()  # type: ignore[no-untyped-call]
                loss += float(value.detach())
                falls += self._falls(batch)
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad(set_to_none=True)
            self.losses.append(loss)
            if progress:
                progress(number, len(steps), loss)
            if number % self.guards.every == 0 or number == len(steps):
                self._look(falls)
                if self.stopped:
                    break
                kept, falls = [parameter.detach().clone() for parameter in trained], []
        if self.stopped:
            with torch.no_grad():
                for parameter, value in zip(trained, kept, strict=True):
                    parameter.copy_(value)

    def report(self, samples: int, tokens: int, seconds: float, processor_seconds: float) -> ContrastReport:
        """How it went."""
        return ContrastReport(
            training=TrainingReport(samples=samples, steps=len(self.losses), tokens=tokens, seconds=seconds, loss=tuple(self.losses)),
            reference_tokens=self.reference_tokens,
            processor_seconds=processor_seconds,
            drift=self.drift,
            stopped=self.stopped,
        )

    def _look(self, falls: Sequence[float]) -> None:
        import torch

        self.model.eval()
        with torch.no_grad():
            each = [(self._distribution(row), before) for row, before in zip(self._probes, self._before, strict=True)]
        if each:
            self.drift = mean_divergence(torch.cat([now for now, _ in each]), torch.cat([before for _, before in each]))
        self.stopped = broken(self.guards, self.drift, falls)
        self.model.train()

    def _falls(self, batch: ContrastBatch) -> list[float]:
        if not self.objective.needs_reference:
            return []
        fallen = batch.means(batch.reference - batch.log_probs.detach())
        return [float(value) for value in fallen[batch.success]]

    def _batch(self, rows: Sequence[AnswerRow]) -> ContrastBatch:
        import torch

        log_probs, answered = self._log_probs(rows)
        reference = torch.zeros_like(log_probs)
        for place, row in enumerate(rows if self.objective.needs_reference else ()):
            reference[place, : row.answer] = self._reference[row]
        return ContrastBatch(
            log_probs=log_probs,
            reference=reference,
            answered=answered,
            success=torch.tensor([row.success for row in rows], device=log_probs.device),
            weight=torch.tensor([row.weight for row in rows], device=log_probs.device),
            advantage=torch.tensor([row.advantage for row in rows], device=log_probs.device),
            divergence=torch.tensor([row.divergence for row in rows], device=log_probs.device),
        )

    def _log_probs(self, rows: Sequence[AnswerRow]) -> tuple[Tensor, Tensor]:
        """Of each answer's tokens, moved to the left, and which places are filled, both `(n, longest answer)`."""
        import torch

        distribution, targets = self._logits(rows)
        each = distribution.log_softmax(-1).gather(1, targets[:, None]).squeeze(1)
        longest = max(row.answer for row in rows)
        answered = torch.tensor([[float(place < row.answer) for place in range(longest)] for row in rows], device=each.device)
        return torch.zeros_like(answered).masked_scatter(answered.bool(), each), answered

    def _distribution(self, row: AnswerRow) -> Tensor:
        """Log-probabilities of the whole vocabulary before each token of an answer `(tokens, vocabulary)`."""
        return self._logits([row])[0].log_softmax(-1)

    def _logits(self, rows: Sequence[AnswerRow]) -> tuple[Tensor, Tensor]:
        """What the network says before each answer token, row after row `(tokens, vocabulary)`, and these tokens."""
        import torch

        network = self.model.get_base_model()
        ids, mask, answered = tensors(rows, self.pad, torch, self.model.device)
        with _autocast(torch, ids.device):
            hidden = network.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
            logits = network.get_output_embeddings()(hidden[:, :-1][answered[:, 1:]])
        return logits.float(), ids[:, 1:][answered[:, 1:]]


@contextmanager
def _autocast(torch: Any, device: Any) -> Iterator[None]:
    with torch.autocast(device.type, torch.bfloat16, enabled=precision(torch) is torch.bfloat16):
        yield
