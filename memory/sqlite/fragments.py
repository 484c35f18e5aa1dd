"""Which pieces of an erased episode stand in another one, and that other one without them. Pure functions.

Eight characters in a row, as `normalise` leaves them, are a *fragment*. What a model was shown it may repeat in part, in another
case, inside other words: comparing fragments finds every copy of at least eight characters (a complete q-gram filter, Ukkonen 1992,
"Approximate string-matching with q-grams and maximal matches", https://doi.org/10.1016/0304-3975(92)90143-4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ...core import UNKNOWN, Action, Episode, Recall, Step, Thought
from ...core.messages import strings_in
from .digests import SHORTEST, message_digest, normalise, split_history

NEEDLE_LENGTH = 200
"""Characters of a text that are searched for; a copy of a longer one is found by its beginning."""


def fragments(texts: Iterable[str]) -> set[str]:
    """Every run of `SHORTEST` characters of each text, normalised, that neither begins nor ends with a space.

    A copy of that length is one of them itself; with a space at its end it would be a shorter one.

    >>> sorted(fragments(["The Vault  word"]))
    ['ault wor', 'he vault', 'the vaul', 'ult word', 'vault wo']
    """
    runs = (plain[at : at + SHORTEST] for plain in map(normalise, texts) for at in range(len(plain) - SHORTEST + 1))
    return {run for run in runs if run[0] != " " != run[-1]}


def request_texts(episode: Episode) -> list[str]:
    """What whoever asked gave with this request: an original, whatever it repeats."""
    task = episode.task
    return [task.text, task.goal, task.context, task.instructions, *strings_in(task.tools)]


def answer_texts(episode: Episode) -> list[str]:
    """What the model and the environment wrote: own steps but for the request and what was recalled."""
    return [step.full_text for step in split_history(episode)[1] if not isinstance(step, Recall) and step.text != episode.task.text]


def generated_texts(episode: Episode) -> list[str]:
    """What came of the request: the answers, the correction, the judge's reason and evidence."""
    return [*answer_texts(episode), *judged_texts(episode)]


def judged_texts(episode: Episode) -> list[str]:
    """What was said of an episode once it was answered, perhaps much later: the correction, the judge's reason and evidence."""
    return [episode.correction, episode.outcome.reason, episode.outcome.evidence]


def private_texts(episode: Episode) -> list[str]:
    """What an erasure of this episode has to reach: its request, without instructions that many share, and what came of it."""
    return [episode.task.goal, episode.task.context, *generated_texts(episode)]


def says_itself(episode: Episode, text: str) -> bool:
    """Whether an episode's own request holds a text."""
    return any(normalise(text) in normalise(own) for own in request_texts(episode))


def message_digests(episode: Episode) -> set[int]:
    """Digests of the messages that later turns of the conversation may repeat."""
    texts = [episode.task.text, episode.task.goal, *generated_texts(episode)]
    return {digest for digest in map(message_digest, texts) if digest is not None}


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """What is to go from other episodes."""

    ids: frozenset[str]
    """Ids of episodes and lessons that may be shown or named no longer."""
    digests: frozenset[int]
    """Digests of messages that are repeated no longer."""
    all: frozenset[str]
    """Fragments of the erased texts that nobody else has."""
    generated: frozenset[str]
    """Of these, those that the model or the environment wrote: who says them in a request of their own quotes them."""
    common: frozenset[str] = frozenset()
    """Fragments that others have of their own: an earlier turn of nothing else tells nothing of the erased."""


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """An episode after it was searched."""

    episode: Episode | None
    """The episode as it may stay; None where its own request quotes what is erased, so that it goes as a whole."""
    lost: tuple[str, ...] = ()
    """What it had written itself and holds no longer; whoever was shown this episode, or repeats one of these, is searched as well."""


def rewrite(episode: Episode, gone: Erasure) -> Rewritten:
    """The episode without what it was shown, quotes or repeats of the erased, and without what was answered in its sight.

    An answer that was given with erased text in the prompt may say the same in any words, so that no comparison finds it: it goes
    whatever it says, with the judgement and the correction of it. What was written before, and the request itself, stay.
    """
    request = fragments(request_texts(episode))
    if request & gone.generated:
        return Rewritten(episode=None, lost=tuple(request_texts(episode)))

    def carries(text: str) -> bool:
        return bool((fragments([text]) & gone.all) - request)

    history, own = split_history(episode)
    kept = [step for step in history if message_digest(step.full_text) not in gone.digests and not carries(step.full_text)]
    dropped = [step for step in history if step not in kept]
    # What was said in the episode before stood in this one's prompt.
    previous = "" if episode.previous in gone.ids else episode.previous
    in_sight = previous != episode.previous or any(carries(step.full_text) or fragments([step.full_text]) - gone.common for step in dropped)
    steps: list[Step] = []
    acted = False
    for step in own:
        acted = acted or isinstance(step, Action | Thought)
        if isinstance(step, Recall):
            steps.append(_rewritten_recall(step, gone, carries(step.text)))
            in_sight = in_sight or steps[-1] != step
        elif step.text != episode.task.text and ((in_sight and acted) or carries(step.full_text)):
            steps.append(step.emptied())
        else:
            steps.append(step)
    outcome = episode.outcome
    correction, reason, evidence = (
        "" if in_sight or carries(text) or message_digest(text) in gone.digests else text for text in judged_texts(episode)
    )
    lessons = tuple(id for id in episode.lessons if id not in gone.ids)
    outcome = replace(outcome, reason=reason, evidence=evidence)
    if dropped or previous != episode.previous:
        # A caller may have named the task by a hash of all turns, by which whoever guesses the one that goes could confirm it.
        episode = replace(episode, task=replace(episode.task, id=hashlib.sha256(f"rewritten {episode.id}".encode()).hexdigest()[:32]))
    new = replace(episode, steps=(*kept, *steps), correction=correction, outcome=outcome, lessons=lessons, previous=previous)
    left = generated_texts(new)
    lost = tuple(text for text in generated_texts(episode) if text not in left)
    if lost and not in_sight and set(lost) <= {outcome.reason, outcome.evidence}:
        # Nobody was shown what its judge had read: what it had answered and taught stays as it was.
        return Rewritten(episode=replace(new, outcome=UNKNOWN))
    if lost or in_sight:
        # What was judged is there no longer; nothing may be learned from the judgement.
        new = replace(new, outcome=UNKNOWN)
    return Rewritten(episode=new, lost=lost)


def _rewritten_recall(step: Recall, gone: Erasure, carries: bool) -> Recall:
    if not carries and not gone.ids & {*step.lessons, *step.episodes}:
        return step
    lessons, episodes = (tuple(id for id in ids if id not in gone.ids) for ids in (step.lessons, step.episodes))
    return replace(step, text="", lessons=lessons, episodes=episodes)


def needles(episodes: Iterable[Episode], common: set[str], most: int) -> list[str]:
    """At most `most` texts to search files for: messages, and words of eight characters or more, that hold an uncommon fragment.

    The longest words come first, since a name, a code or a password is what a leftover would be known by; then whole messages.
    """
    words: dict[str, None] = {}
    messages: dict[str, None] = {}
    for episode in episodes:
        for text in private_texts(episode):
            for line in text.splitlines():
                message = line.strip()[:NEEDLE_LENGTH]
                if fragments([message]) - common:
                    messages[message] = None
            for word in (word.strip("\"'`.,;:!?()[]{}<>") for word in text.split()):
                if len(word) <= NEEDLE_LENGTH and fragments([word]) - common:
                    words[word] = None
    longest = sorted(words, key=lambda word: (-len(word), word))[: most // 2]
    rest = sorted(messages.keys() - words.keys(), key=lambda text: (-len(text), text))
    return [*longest, *rest[: most - len(longest)]]
