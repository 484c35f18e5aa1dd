"""Whatever happened before, in whatever order, an erasure leaves nothing, or its receipt says what."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from properties import examples
from scripted import ScriptedEngine
from secret_chats import Chats, Stopped, dying_at, files_with, open_echo, secret

from lifelong.core import Lesson, MalformedTask, NothingFound, Receipt, Task
from lifelong.memory import compress

TENANTS = st.sampled_from(["ann", "anna"])
QUESTIONS = st.sampled_from(["the vault word, please", "tell me the vault word again"])
ASIDES = st.sampled_from(["and the capital of Norway", "say that again, please"])
STEPS = st.one_of(
    st.tuples(st.just("tell"), TENANTS, st.integers(0, 3), st.booleans()),
    st.tuples(st.just("ask"), TENANTS, QUESTIONS),
    st.tuples(st.just("go on"), TENANTS, ASIDES, st.sampled_from([0, 2])),
    st.tuples(st.just("correct"), st.integers(0, 3)),
    st.tuples(st.just("praise"), st.integers(0, 3)),
    st.tuples(st.just("lesson"), st.integers(0, 3)),
    st.tuples(st.just("sleep"), TENANTS),
    st.tuples(st.just("compress"), TENANTS, st.integers(0, 4)),
    st.tuples(st.just("forget"), st.integers(0, 3)),
    st.tuples(st.just("crash"), st.integers(0, 3), st.integers(1, 24)),
    st.tuples(st.sampled_from(["begin", "act", "end"]), TENANTS),
    st.tuples(st.just("other process")),
    st.tuples(st.just("reopen")),
)


class Home:
    """A home with two processes on it, of which one speaks."""

    def __init__(self, path: Path, **values: object) -> None:
        self.path, self._values = path, values
        self.chats = Chats(open_echo(path, **values))
        self._other = open_echo(path, **values)
        self.gone: set[str] = set()
        """Secrets that were forgotten."""
        self.runs: dict[str, tuple[str, str]] = {}
        """Of each tenant, a run under way of an agent outside, and what it was shown, which it goes on holding."""

    def close(self) -> None:
        self.chats.learner.close()
        self._other.close()

    def reopen(self) -> None:
        self.close()
        self.chats.learner, self._other = open_echo(self.path, **self._values), open_echo(self.path, **self._values)

    def do(self, number: int, step: tuple[object, ...]) -> None:
        chats = self.chats
        match step:
            case ("tell", str(tenant), int(seed), bool(goes_on)):
                chats.tell(tenant, secret(1000 * number + seed), goes_on=goes_on and not self._holds_gone(tenant))
            case ("ask", str(tenant), str(text)):
                chats.say(tenant, text)
            case ("go on", str(tenant), str(text), int(last)) if tenant in chats.open_chat and not self._holds_gone(tenant):
                # Some clients send the last turns only.
                chats.open_chat[tenant] = chats.open_chat[tenant][-last:]
                chats.say(tenant, text, goes_on=True)
            case ("sleep", str(tenant)):
                chats.learner.sleep(tenant=tenant)
            case ("compress", str(tenant), int(most)):
                compress(chats.learner.record, tenant, most)
            case ("begin", str(tenant)):
                task = Task(id=f"run-{number}", goal="the vault word, please", tenant=tenant, environment="chat", skill="vault")
                run = chats.learner.runs.begin(task)
                self.runs[tenant] = run.id, run.recall
            case ("act" | "end" as verb, str(tenant)) if tenant in self.runs:
                with suppress(NothingFound):
                    run = chats.learner.runs.get(self.runs[tenant][0], tenant=tenant)
                    run.act(f"I repeat: {self.runs[tenant][1]}") if verb == "act" else run.finish(True)
            case ("other process",):
                chats.learner, self._other = self._other, chats.learner
            case ("reopen",):
                self.reopen()
            case (str(verb), int(seed), *rest) if known := sorted(set(chats.given) - self.gone):
                self._about(number, verb, known[seed % len(known)], rest)

    def _about(self, number: int, verb: str, word: str, rest: list[object]) -> None:
        chats = self.chats
        first, tenant = chats.given[word][0], chats.tenant_of[word]
        # What has left the budget can be judged no longer, and is no evidence.
        with suppress(NothingFound, MalformedTask):
            match verb:
                case "correct":
                    chats.correct(tenant, first, word)
                case "praise":
                    chats.learner.feedback(first, tenant=tenant, success=True)
                case "lesson":
                    lesson = Lesson(id=f"lesson-{number}", tenant=tenant, skill="vault", text=f"Say {word}.", episodes=(first,))
                    chats.learner.record.lessons.record(lesson)
        if verb == "crash":
            with pytest.MonkeyPatch.context() as patch, dying_at(int(str(rest[0])), patch), suppress(Stopped):
                chats.forget(word)
            self.reopen()
        if verb in ("forget", "crash"):
            self.check_gone(word)

    def check_gone(self, word: str) -> None:
        receipts = self.chats.forget(word)
        self.gone.add(word)
        left = files_with(self.path, word)
        kept: list[Receipt] = [*self.chats.learner.record.receipts.find(), *receipts]
        assert not (left and kept and kept[-1].erasure == "exact"), "a receipt never says exact while something is left"
        assert left == [], f"{word} is left in {left}"
        for learner in (self.chats.learner, self._other):
            engine = learner._components.engine
            assert isinstance(engine, ScriptedEngine)
            engine.requests.clear()
            tenant = self.chats.tenant_of[word]
            task = Task(id=f"probe-{word}", goal="the vault word, please", tenant=tenant, environment="chat", skill="vault")
            learner.wake(task)
            assert not any(word in message["content"] for request in engine.requests for message in request.messages), "the model is told"

    def _holds_gone(self, tenant: str) -> bool:
        return any(word in message["content"] for word in self.gone for message in self.chats.open_chat.get(tenant, []))


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(STEPS, min_size=4, max_size=24), few=st.booleans())
def test_no_erased_text_is_left_whatever_happened_before(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]], few: bool
) -> None:
    home = Home(tmp_path_factory.mktemp("home"), **({"memory.max_episodes": 6} if few else {}))
    try:
        for number, step in enumerate(steps):
            home.do(number, step)
        for word in sorted(set(home.chats.given) - home.gone):
            home.check_gone(word)
    finally:
        home.close()
