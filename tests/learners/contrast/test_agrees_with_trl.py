"""The formulas give what trl's trainers give, on the trainers' own batches and random models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lifelong.learners.contrast.batch import ContrastBatch
from lifelong.learners.contrast.group_policy import GroupRelativePolicy
from lifelong.learners.contrast.preference import DirectPreference
from lifelong.learners.contrast.prospect import prospect_loss

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def network(model: Path, noise: float) -> Any:
    """The tiny model, moved by random noise so that a policy and its reference differ."""
    from transformers import AutoModelForCausalLM

    found = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.add_(noise * torch.randn(parameter.shape, generator=generator))
    return found.eval()


def token_log_probs(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        every = model(input_ids=ids, attention_mask=mask).logits.float().log_softmax(-1)
    return every[:, :-1].gather(-1, ids[:, 1:, None]).squeeze(-1)


def arguments(kind: Any, folder: Path, **values: Any) -> Any:
    return kind(
        output_dir=str(folder),
        per_device_train_batch_size=2,
        use_cpu=True,
        report_to=[],
        bf16=False,
        gradient_checkpointing=False,
        **values,
    )


def tokenizer(model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model)


def test_direct_preference(tiny_model: Path, tmp_path: Path) -> None:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    policy, reference = network(tiny_model, 0.05), network(tiny_model, 0.0)
    rows = Dataset.from_list(
        [{"prompt": "a b", "chosen": " blue", "rejected": " black one"}, {"prompt": "c", "chosen": " x", "rejected": " y"}]
    )
    trainer = DPOTrainer(
        model=policy,
        ref_model=reference,
        args=arguments(DPOConfig, tmp_path, beta=0.1),
        train_dataset=rows,
        processing_class=tokenizer(tiny_model),
    )
    batch = next(iter(trainer.get_train_dataloader()))
    theirs = float(trainer.compute_loss(policy, batch).detach())
    now, before = (token_log_probs(one, batch["input_ids"], batch["attention_mask"]) for one in (policy, reference))
    answered = batch["completion_mask"][:, 1:].float()
    # trl lays all chosen answers before all rejected ones; here each stands before its own.
    order = [place for pair in range(2) for place in (pair, pair + 2)]
    ours = DirectPreference(beta=0.1, likelihood=0.0).loss(
        ContrastBatch(
            log_probs=(now * answered)[order],
            reference=(before * answered)[order],
            answered=answered[order],
            success=torch.tensor([True, False, True, False]),
            weight=torch.ones(4),
            advantage=torch.zeros(4),
            divergence=torch.full((4,), -1),
        )
    )
    assert theirs != pytest.approx(0.6931, abs=1e-3), "the models differ"
    assert float(ours) == pytest.approx(theirs, abs=1e-5)


def test_kahneman_tversky(tiny_model: Path, tmp_path: Path) -> None:
    from datasets import Dataset
    from trl import KTOConfig, KTOTrainer

    policy, reference = network(tiny_model, 0.05), network(tiny_model, 0.0)
    rows = Dataset.from_list([{"prompt": "a b", "completion": " blue", "label": True}, {"prompt": "c", "completion": " y", "label": False}])
    trainer = KTOTrainer(
        model=policy,
        ref_model=reference,
        args=arguments(KTOConfig, tmp_path, beta=0.1, loss_type="apo_zero_unpaired"),
        train_dataset=rows,
        processing_class=tokenizer(tiny_model),
    )
    batch = next(iter(trainer.get_train_dataloader()))
    theirs = float(trainer.compute_loss(policy, batch).detach())
    prefix = next((name.removesuffix("input_ids") for name in batch if name.endswith("input_ids") and not name.startswith("KL")), "")
    ids, mask = batch[f"{prefix}input_ids"], batch[f"{prefix}attention_mask"]
    answered = batch["completion_mask"][:, 1:].float()
    ratios = ((token_log_probs(policy, ids, mask) - token_log_probs(reference, ids, mask)) * answered).sum(-1)
    # With a reference point of zero this loss of trl's is that of the paper.
    ours = prospect_loss(ratios, torch.as_tensor(batch["label"]).bool(), torch.tensor(0.0), 0.1).mean()
    assert float(ours) == pytest.approx(theirs, abs=1e-5)


def test_group_relative_policy(tiny_model: Path, tmp_path: Path) -> None:
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    policy, reference = network(tiny_model, 0.05), network(tiny_model, 0.0)
    trainer = GRPOTrainer(
        model=policy,
        reward_funcs=lambda completions, **_: [0.0 for _ in completions],
        args=arguments(
            GRPOConfig,
            tmp_path,
            beta=0.04,
            epsilon=0.2,
            loss_type="grpo",
            num_generations=2,
            use_bias_correction_kl=False,
            max_completion_length=4,
        ),
        train_dataset=Dataset.from_list([{"prompt": "a b"}]),
        processing_class=tokenizer(tiny_model),
    )
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(5, 200, (3, 9), generator=generator)
    answered = torch.tensor([[1.0] * 5, [1.0, 1.0, 0.0, 0.0, 0.0], [1.0] * 4 + [0.0]])
    mask = torch.cat([torch.ones(3, 4), answered], dim=1).long()
    now, before = (token_log_probs(one, ids, mask)[:, -5:] for one in (policy, reference))
    advantages = torch.tensor([1.2, -0.6, -0.6])
    trainer.current_gradient_accumulation_steps = 1
    inputs = {
        "prompt_ids": ids[:, :4],
        "prompt_mask": mask[:, :4],
        "completion_ids": ids[:, 4:],
        "completion_mask": mask[:, 4:],
        "advantages": advantages,
        "old_per_token_logps": before,
        "ref_per_token_logps": before,
        "num_items_in_batch": answered.sum(),
    }
    theirs = float(trainer._compute_loss(policy, inputs).detach())
    ours = GroupRelativePolicy(clip=0.2, beta=0.04).loss(
        ContrastBatch(
            log_probs=now,
            reference=before,
            answered=answered,
            success=torch.tensor([True, False, False]),
            weight=torch.ones(3),
            advantage=advantages,
            divergence=torch.full((3,), -1),
        )
    )
    assert float(ours) == pytest.approx(theirs, abs=1e-5)
