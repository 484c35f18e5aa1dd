"""Evidence: what failed runs of a skill have in common that successful ones do not, computed and not guessed.

The regularities are this project's own. That failures are contrasted with successes of the same task is the idea of Zhao et al. 2023,
"ExpeL: LLM Agents Are Experiential Learners", https://arxiv.org/abs/2308.10144, section 4.2, where a model does it.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...core import Action, Episode, Step, ToolResult
from ...numerics.sequences import first_divergence, tokens

_SPECIFIC = re.compile(r"'[^']*'|\"[^\"]*\"|\b\w*\d\w*\b")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One regularity, with the runs that show it."""

    kind: str
    """`error`, `divergence`, `repetition` or `no_effect`."""
    detail: str
    """The error, the diverging continuation, or the action concerned."""
    instead: str
    """What successful runs did at that place; empty where nothing can be set against it."""
    failures: tuple[str, ...]
    """Ids of the failed episodes that show it."""
    successes: tuple[str, ...] = ()
    """Ids of the successful episodes set against them."""

    @property
    def weight(self) -> int:
        """How many failed runs show it."""
        return len(self.failures)


def generalise(error: str) -> str:
    """An error message without its particulars, so that alike errors count together.

    >>> generalise("Error: no such column: amount2 near 'x'")
    'Error: no such column'
    """
    first_line = error.strip().splitlines()[0] if error.strip() else ""
    head = first_line.split(": ")
    kept = ": ".join(head[:2]) if len(head) > 2 else first_line
    return " ".join(_SPECIFIC.sub("", kept).split())[:120]


def repeated_actions(steps: Sequence[Step]) -> list[str]:
    """Actions that were done again right after themselves."""
    actions = [step.reply for step in steps if isinstance(step, Action)]
    return [later for earlier, later in pairwise(actions) if earlier == later]


def actions_without_effect(steps: Sequence[Step]) -> list[str]:
    """Actions after which the environment said exactly what it had said before."""
    idle: list[str] = []
    seen, action = "", ""
    for step in steps:
        if isinstance(step, Action):
            action = step.reply
        elif step.name in ("observation", "tool_result"):
            if action and step.text == seen:
                idle.append(action)
            seen = step.text
    return idle


def contrast(failed: Sequence[Episode], succeeded: Sequence[Episode], nearest: Mapping[str, str] | None = None) -> list[Evidence]:
    """All evidence of one skill, the most frequent first; deterministic (invariant Determinism).

    A failed run is compared with a successful run of the same task where there is one, else with the closest in
    words. The same task solved by an expert or corrected by a user counts as a success.
    """
    found = [*_errors(failed), *_divergences(failed, succeeded, nearest or {}), *_habits(failed, succeeded)]
    return sorted(found, key=lambda evidence: (-evidence.weight, evidence.kind, evidence.detail))


def _errors(failed: Sequence[Episode]) -> list[Evidence]:
    groups: dict[str, list[str]] = defaultdict(list)
    for episode in failed:
        kinds = {generalise(step.text) for step in episode.steps if isinstance(step, ToolResult) and step.error}
        for kind in sorted(kinds):
            groups[kind].append(episode.id)
    return [Evidence(kind="error", detail=kind, instead="", failures=tuple(ids)) for kind, ids in sorted(groups.items()) if kind]


def _divergences(failed: Sequence[Episode], succeeded: Sequence[Episode], nearest: Mapping[str, str]) -> list[Evidence]:
    groups: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    counterpart = _counterparts(succeeded, nearest)
    for episode in failed:
        model = episode if episode.correction else counterpart(episode)
        # A correction of a run of several turns is one of its last turn.
        wrong = tokens(episode.answer) if episode.correction and _in_turns(episode) else _moves(episode)
        right = tokens(episode.correction) if episode.correction else _moves(model) if model else []
        place = first_divergence(wrong, right) if wrong and right else None
        if model and place is not None:
            groups[(_describe(episode, wrong, place), _describe(episode, right, place))].append((episode.id, model.id))
    return [
        Evidence(
            kind="divergence",
            detail=wrong,
            instead=right,
            failures=tuple(failure for failure, _ in pairs),
            successes=tuple(sorted({success for _, success in pairs} - {failure for failure, _ in pairs})),
        )
        for (wrong, right), pairs in sorted(groups.items())
        if wrong != right
    ]


def _moves(episode: Episode) -> list[str]:
    """What two runs are aligned by: the actions where they were chosen, what turns call, else the last answer's tokens."""
    actions = [step for step in episode.steps if isinstance(step, Action)]
    if actions and actions[-1].chosen:
        return [action.text for action in actions]
    return [move for action in actions for move in _called(action)] if _in_turns(episode) else tokens(episode.answer)


def _in_turns(episode: Episode) -> bool:
    """Whether a run was composed turn by turn, each in sight of those before."""
    actions = [step for step in episode.steps if isinstance(step, Action)]
    return any(action.tool_calls or action.history == "full" for action in actions) and not actions[-1].chosen


def _called(action: Action) -> list[str]:
    """The tools that a turn calls, or the first word of its command: what a lesson may name, since values are each task's own."""
    return [call["function"]["name"] for call in action.tool_calls] or action.text.split()[:1]


def _describe(episode: Episode, moves: Sequence[str], place: int) -> str:
    """The moves around the divergence; of composed text, names and values become `…`, so that alike ones count together."""
    around = moves[max(0, place - 1) : place + 2]
    if (_in_turns(episode) and not episode.correction) or any(step.chosen for step in episode.steps if isinstance(step, Action)):
        return ", ".join(around)
    return " ".join(word if word.isupper() or not word[0].isalnum() else "…" for word in around)


def _habits(failed: Sequence[Episode], succeeded: Sequence[Episode]) -> list[Evidence]:
    found: list[Evidence] = []
    for kind, look in (("repetition", repeated_actions), ("no_effect", actions_without_effect)):
        groups: dict[str, list[str]] = defaultdict(list)
        for episode in failed:
            for action in sorted(set(look(episode.steps))):
                groups[action[:80]].append(episode.id)
        usual = Counter(action[:80] for episode in succeeded for action in set(look(episode.steps)))
        for action, ids in sorted(groups.items()):
            # Successful runs may do it too; it is evidence only where failures do it clearly more often.
            if len(ids) / len(failed) > 2 * usual[action] / max(1, len(succeeded)):
                found.append(Evidence(kind=kind, detail=action, instead="", failures=tuple(ids)))
    return found


def _counterparts(succeeded: Sequence[Episode], nearest: Mapping[str, str]) -> Callable[[Episode], Episode | None]:
    """Finds what a failed run is compared with: the same task solved, else the run named in `nearest`, else the closest in words."""
    by_id = {other.id: other for other in succeeded}
    by_task: dict[str, list[Episode]] = defaultdict(list)
    for other in succeeded:
        by_task[other.task.key].append(other)
    # Each text is split once; splitting both anew for every pair is what made reflection slow.
    words = {other.id: Counter(tokens(other.task.text.lower())) for other in succeeded} if not nearest else {}

    def find(episode: Episode) -> Episode | None:
        if same := by_task.get(episode.task.key):
            return min(same, key=lambda other: (other.task.text != episode.task.text, other.id))
        if episode.id in nearest:
            return by_id.get(nearest[episode.id])
        own = Counter(tokens(episode.task.text.lower()))
        return min(succeeded, key=lambda other: (_distance(own, words.get(other.id, Counter())), other.id), default=None)

    return find


def _distance(a: Counter[str], b: Counter[str]) -> float:
    """One minus the cosine of two counts of words."""
    norms = math.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()))
    return 1 - sum(a[word] * b[word] for word in a) / norms if norms else 1.0
