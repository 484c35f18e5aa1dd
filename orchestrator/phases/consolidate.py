"""Consolidate: verified runs and corrections of a skill, with replay of the others, become a LoRA adapter."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from ...agents import samples
from ...core import Adapter, AdapterStatus, Episode, NothingFound
from ...envs import exchangeable, find_environment
from ...learners import Recipe, Sample, TrainingReport, holds, made_of, train_lora
from ...numerics.draws import draw
from ...serving import ChatRequest
from ..components import Components
from ..held_out import HeldOut, Key, choose_for_target, is_held_out, key
from ..run_state import NightState, PendingSleep
from .contrast import NO_CONTRAST, Contrast, gathered, go_on
from .phase import NightContext, Scope, Work
from .plan import plan_of

NEUTRAL = (
    "What is the capital of France?",
    "Write one sentence about the sea.",
    "How do I boil an egg?",
    "Give me three words that rhyme with cat.",
    "What is the difference between a lake and a river?",
    "Say hello to a new colleague.",
    "How many days has a week?",
    "Why do leaves fall in autumn?",
    "Translate 'good morning' into Spanish.",
    "What can I cook with potatoes?",
    "Explain what a computer is to a child.",
    "What is two plus three?",
)
"""Questions that have nothing to do with any tenant's work. Without the base model's own answers to a few of them, a dozen corrected
chats of one form teach the model to answer everything in that form; with them it keeps its own way elsewhere (rehearsal by
self-distillation: Li and Hoiem, Learning without Forgetting, ECCV 2016, https://arxiv.org/abs/1606.09282)."""
FIRST_SUFFIX = "-first"
"""Ends the name of what a contrast goes on from."""
NEUTRAL_SHARE = 0.4
"""Neutral samples beside each sample of a skill that no environment judges: five beside twelve."""
NEUTRAL_TOKENS = 64
"""Most tokens of a neutral answer."""


class Consolidate:
    """Choose what is held out, gather what is learned from, and train; a directory that was made of the same is kept."""

    name = "consolidate"
    scope = Scope.SKILL

    def due(self, night: NightContext, work: Work) -> bool:
        return not work.ended

    def run(self, night: NightContext, work: Work) -> Work:
        components, settings, skill = night.components, night.components.settings.sleep, work.skill
        held_out = choose_for_target(components, night.environments, night.tenant, skill)
        generation = components.record.generation(night.tenant)
        data = [*training_data(night, skill, held_out), *work.practice]
        work = replace(work, data=tuple(data), held_out=held_out, seen=_seen(components, night.tenant, skill))
        # A night that was interrupted after its decision keeps it: judged again, the candidate would face itself.
        if (known := _known(components, work.adapter)) and known.gate and known.status is not AdapterStatus.ERASED:
            return replace(work, candidate=known, gate=known.gate, loss=TrainingReport.read(Path(known.path)).loss)
        own = sum(sample.skill == skill for sample in data)
        if own < settings.min_episodes:
            return work.end(NightState.NOTHING_TO_LEARN, f"{own} training samples of {skill!r}; {settings.min_episodes} are needed")
        if settings.gate and len(held_out.episodes) < settings.min_held_out:
            reason = f"{len(held_out.episodes)} held-out tasks of {skill!r}; {settings.min_held_out} are needed to tell a gain"
            return work.end(NightState.NOTHING_TO_LEARN, reason)
        if not components.base_path.is_dir():
            reason = f"this engine has no local weights to train: {str(components.base_path)!r} is no folder of a model on this machine"
            return work.end(NightState.NOTHING_TO_LEARN, f"{reason}; set model.engine to 'embedded' or 'vllm' for nights that train")
        data = [*data, *neutral_samples(night, data, skill)]
        recipe, contrast = recipe_for(night, data, skill), gathered(night, skill, held_out)
        name = _name(night, work, contrast.digest(made_of(data, recipe, night.tenant)))
        judged = [one.sample for one in contrast.samples]
        learned = tuple(dict.fromkeys(sample.episode for sample in [*data, *judged] if sample.episode))
        as_it_was = {sample.episode for sample in [*data, *judged] if not sample.practice}
        lessons = tuple(lesson.id for lesson in components.record.lessons.find(tenant=night.tenant, skill=skill))
        made_from = components.record.made_from(night.tenant, learned, lessons)
        if components.record.generation(night.tenant) != generation:
            raise NothingFound("episodes were erased or filed anew while the night gathered them; it begins anew at the next")
        directory, ended = trained(night, name, data, recipe, self.name, contrast)
        adapter = Adapter(
            name=name,
            path=str(directory),
            base=str(components.base_path),
            rank=recipe.rank,
            tenant=night.tenant,
            target=skill,
            episodes=learned,
            practised=tuple(id for id in learned if id not in as_it_was),
            lessons=lessons,
            recipe=asdict(recipe),
        )
        # An episode that lost a copy of what was erased meanwhile is still there, and was learned from with it.
        components.record.adapters.record(adapter, made_from=made_from)
        notes = "; ".join(filter(None, (plan_of(work).reason, contrast.summary, ended)))
        plan, loss = replace(plan_of(work), reason=notes), TrainingReport.read(directory).loss
        return replace(work, data=tuple(data), adapter=name, candidate=adapter, loss=loss, plan=plan)


def training_data(night: NightContext, skill: str, held_out: HeldOut, without: Collection[Key] = ()) -> list[Sample]:
    """The skill's own samples and the replayed ones of all other skills; deterministic.

    Tasks that are kept apart are left out; with cross-fitting the target skill keeps none apart, but for those in `without`.
    """
    components, settings, seed = night.components, night.components.settings.sleep, night.components.settings.seed
    own: list[Sample] = []
    others: list[Sample] = []
    for episode in components.record.episodes.find(tenant=night.tenant, trainable=True):
        judged_in_turn = bool(held_out.folds) and episode.skill == skill
        apart = key(episode) in without or (is_held_out(episode, seed, settings.held_out) and not judged_in_turn)
        if episode.skill and not apart:
            (own if episode.skill == skill else others).extend(_samples(night, episode))
    wanted = round(settings.replay * len(own))
    replayed = sorted(others, key=lambda sample: draw(seed, "replay", sample.episode, sample.answer))[:wanted]
    return own + replayed


def neutral_samples(night: NightContext, data: Sequence[Sample], skill: str) -> list[Sample]:
    """The base model's own answers to neutral questions, where no environment judges the skill; they name no episode."""
    if not is_chat(night, data, skill):
        return []
    own = sum(sample.skill == skill for sample in data)
    asked = NEUTRAL[: max(5, min(len(NEUTRAL), round(NEUTRAL_SHARE * own)))]
    most = min(NEUTRAL_TOKENS, night.components.settings.model.max_tokens)
    requests = [ChatRequest(messages=[{"role": "user", "content": question}], max_tokens=most) for question in asked]
    answers = [reply.text for reply in night.components.engine.chat(requests)]
    return [
        Sample(messages=({"role": "user", "content": question},), answer=answer, skill="", episode="")
        for question, answer in zip(asked, answers, strict=True)
        if answer.strip()
    ]


def is_chat(night: NightContext, data: Sequence[Sample], skill: str) -> bool:
    """Whether none of a skill's samples comes from an environment that is here to judge."""
    own = night.components.record.episodes.get_many([sample.episode for sample in data if sample.skill == skill], tenant=night.tenant)
    return all(find_environment(night.environments, episode.task.environment) is None for episode in own)


def recipe_for(night: NightContext, data: Sequence[Sample], skill: str) -> Recipe:
    """How the skill's adapter is trained."""
    components, settings = night.components, night.components.settings.sleep
    return Recipe(
        base=str(components.base_path),
        rank=settings.rank,
        learning_rate=settings.learning_rate,
        epochs=settings.epochs,
        min_steps=settings.min_steps if is_chat(night, data, skill) else 0,
        batch_size=settings.batch_size,
        max_length=settings.max_length,
        substitution=settings.substitution,
        seed=components.settings.seed,
        start="" if settings.train_from_base else _latest(components, night.tenant),
    )


def trained(
    night: NightContext, name: str, data: Sequence[Sample], recipe: Recipe, phase: str, contrast: Contrast = NO_CONTRAST
) -> tuple[Path, str]:
    """The directory of an adapter made of exactly this; one that was made of anything else is discarded and trained anew.

    With a contrast, what is trained on the data alone lies beside it until the contrast is done, and is taken up after a crash. The
    second value says why the contrast ended early, empty where it did not.
    """
    directory = night.components.adapters_directory / name
    digest, ended = contrast.digest(made_of(data, recipe, night.tenant)), ""
    if not holds(directory, digest):
        shutil.rmtree(directory, ignore_errors=True)
        begun = night.components.record.generation(night.tenant)

        def step(done: int, total: int, _: float) -> None:
            night.check()
            if night.components.record.generation(night.tenant) != begun:
                _require(night.components, night.tenant, [*data, *(one.sample for one in contrast.samples)])
            night.progress(phase, done, total)

        if contrast.samples:
            first, _ = trained(night, f"{name}{FIRST_SUFFIX}", data, recipe, phase)
            ended = go_on(night, first, directory, contrast, data, recipe, provenance=digest, step=step)
        else:
            train_lora(data, recipe, directory, step, provenance=digest)
    return directory, ended


def _require(components: Components, tenant: str, data: Sequence[Sample]) -> None:
    wanted = {sample.episode for sample in data if sample.episode}
    if len(components.record.episodes.get_many(sorted(wanted), tenant=tenant)) < len(wanted):
        raise NothingFound("an episode that the night learns from was erased meanwhile; the next night begins without it")


def _name(night: NightContext, work: Work, digest: str) -> str:
    """The reserved name, or a new one where the reserved one belongs to an adapter that was made of something else."""
    components = night.components
    known = _known(components, work.adapter)
    if known is None or (known.status is not AdapterStatus.ERASED and holds(Path(known.path), digest)):
        return work.adapter
    if known.status is AdapterStatus.CANDIDATE:
        components.record.adapters.record(known.with_status(AdapterStatus.REJECTED))
    name = components.record.adapters.next_name()
    if pending := components.record.state.get(PendingSleep, tenant=night.tenant, skill=work.skill):
        components.record.state.put(replace(pending, adapter=name))
    return name


def _known(components: Components, name: str) -> Adapter | None:
    return next((adapter for adapter in components.record.adapters.find() if adapter.name == name), None)


def _samples(night: NightContext, episode: Episode) -> list[Sample]:
    environment = find_environment(night.environments, episode.task.environment)
    before = night.components.record.episodes.before(episode)
    if before is None and not episode.correction:
        # What was asked is not known any more; a correction is right all the same.
        return []
    return samples([episode], frozenset(exchangeable(environment)) if environment else frozenset(), before=before or ())


def _seen(components: Components, tenant: str, skill: str) -> tuple[str, ...]:
    """What the night learns from or, where it failed, has practised on."""
    episodes = components.record.episodes.find(tenant=tenant, skill=skill)
    return tuple(episode.id for episode in episodes if episode.trainable or episode.outcome.success is False)


def _latest(components: Components, tenant: str) -> str:
    live = components.record.adapters.find(tenant=tenant, status=AdapterStatus.LIVE)
    return live[-1].path if live else ""
