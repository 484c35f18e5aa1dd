"""The engine against a small real HTTP server: what it asks, and what it makes of errors."""

import math
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire import Handler, Server, ask

from lifelong.core import Cancelled, EngineUnreachable, MalformedTask, NothingFound, SettingsError, cancelled_by
from lifelong.serving import ChatPiece, Engine, VLLMEngine, context_of, takes_grammars
from lifelong.serving.engine import UNKNOWN_CONTEXT


def test_it_is_an_engine(engine):
    assert isinstance(engine, Engine)
    assert engine.model == "tiny"
    assert engine.chat([]) == []


def test_a_chat_request_as_the_server_gets_it(engine, protocol):
    [reply] = engine.chat([ask("hello", max_tokens=7, temperature=0.5, seed=3)])
    path, body = protocol.asked[-1]
    assert path == "/v1/chat/completions"
    assert body == {
        "model": "tiny",
        "messages": [{"role": "system", "content": ""}, {"role": "user", "content": "hello"}],
        "max_tokens": 7,
        "temperature": 0.5,
        "seed": 3,
        "logprobs": True,
    }
    assert (reply.text, reply.logprob, reply.finished) == ("tiny on hello", -0.5, True)
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (11, 2)
    assert engine.chat([ask(max_tokens=1)])[0].finished is False


def test_the_context_is_the_server_s(engine, protocol, monkeypatch):
    assert context_of(engine) == 2048
    monkeypatch.setattr(protocol, "models", lambda: {"data": [{"id": "tiny"}]})
    silent = VLLMEngine("tiny", url=engine.url)
    assert context_of(silent) == UNKNOWN_CONTEXT
    silent.close()


def test_a_url_that_ends_in_v1_is_the_same_server(url, protocol):
    engine = VLLMEngine("tiny", url=f"{url}/v1/")
    assert engine.url == url
    assert engine.chat([ask("x")])[0].text == "tiny on x"
    engine.close()
    engine.close()


def test_a_batch_is_in_flight_at_once_and_keeps_its_order(engine, protocol):
    protocol.delay = 0.1
    started = time.perf_counter()
    replies = engine.chat([ask(str(number)) for number in range(16)])
    assert [reply.text for reply in replies] == [f"tiny on {number}" for number in range(16)]
    assert protocol.most_flying >= 8
    assert time.perf_counter() - started < 16 * 0.1 / 2
    assert sum(reply.usage.seconds for reply in replies) < 16 * 0.1 / 2


def test_work_that_nobody_waits_for_leaves_its_stream(engine, monkeypatch):
    left, closed = threading.Event(), []

    def stream(request):
        try:
            yield ChatPiece(text="one")
            left.set()
            yield ChatPiece(text="two")
            raise AssertionError("nobody waits for more")
        finally:
            closed.append(request)

    monkeypatch.setattr(engine, "stream", stream)
    with cancelled_by(left), pytest.raises(Cancelled):
        engine.chat([ask("hello")])
    assert len(closed) == 1


def test_choices_constrain_the_reply_and_are_never_cut_off(engine, protocol):
    [reply] = engine.chat([ask(choices=["yes", "certainly not"], max_tokens=2)])
    assert reply.text == "certainly not"
    assert protocol.asked[-1][1]["structured_outputs"] == {"choice": ["yes", "certainly not"]}
    assert protocol.asked[-1][1]["max_tokens"] > len("certainly not")


def test_a_grammar_is_refused_and_not_sent(engine, protocol):
    assert not takes_grammars(engine)
    with pytest.raises(MalformedTask, match="does not follow grammars"):
        engine.chat([ask(grammar='start: "a"')])
    assert not any("structured_outputs" in body for _, body in protocol.asked)


def test_a_server_that_ignores_choices_is_named(engine, protocol):
    protocol.constrains = False
    with pytest.raises(EngineUnreachable, match="does not constrain"):
        engine.chat([ask(choices=["yes", "no"])])


def test_no_logprobs_means_unsure(engine, protocol):
    protocol.logprobs = False
    assert engine.chat([ask()])[0].logprob == -math.inf


def test_choose_ranks_by_mean_logprob_of_each_option(url, protocol):
    protocol.runtime_lora = False
    engine = VLLMEngine("tiny", url=url)

    @settings(max_examples=25, deadline=None)
    @given(options=st.lists(st.text(alphabet="abcxyz", min_size=1, max_size=5), min_size=1, max_size=4, unique=True))
    def check(options: list[str]) -> None:
        choice = engine.choose(ask("hi"), options)
        expected = [sum(-byte / 100 for byte in option.encode()) / len(option) for option in options]
        assert choice.logprobs == pytest.approx(expected)
        # Options of equal means differ in the last digit, by the order in which they were added up.
        assert expected[choice.index] == pytest.approx(max(expected))
        assert choice.usage.prompt_tokens == len("hi") + sum(map(len, options)), "the shared prefix counts once"

    check()
    engine.close()


def test_a_other_server_with_lora_is_never_asked_for_prompt_logprobs(engine, protocol):
    choice = engine.choose(ask(), ["left", "right"])
    assert (choice.index, choice.logprobs) == (1, (-math.inf, -0.5))
    assert not any("prompt_logprobs" in body for _, body in protocol.asked), "on CPU this request ends vLLM"


def test_choose_without_tokenize_falls_back_to_a_constrained_reply(url, protocol):
    protocol.runtime_lora, protocol.tokenizes = False, False
    engine = VLLMEngine("tiny", url=url)
    assert engine.choose(ask(), ["left", "right"]).index == 1
    assert engine.count_tokens("123456789") == 3, "a quarter of the characters, rounded up"
    assert sum(path == "/tokenize" for path, _ in protocol.asked) == 1, "it is asked once and remembered"
    engine.close()


@pytest.mark.parametrize("options", [[], ["fine", ""]])
def test_options_must_say_something(engine, options):
    with pytest.raises(MalformedTask, match="non-empty"):
        engine.choose(ask(), options)


def test_tokens_are_counted_by_the_server(engine):
    assert engine.count_tokens("123456789") == 9
    assert engine.count_tokens("") == 0


def test_an_unknown_adapter_is_not_found(engine):
    with pytest.raises(NothingFound, match=r"'nobody'.*publish"):
        engine.chat([ask(adapter="nobody")])


@pytest.mark.parametrize(
    ("status", "error"), [(400, MalformedTask), (422, MalformedTask), (401, EngineUnreachable), (500, EngineUnreachable)]
)
def test_error_statuses_become_named_errors(engine, protocol, status, error):
    protocol.status = status
    with pytest.raises(error):
        engine.chat([ask()])
    assert len(protocol.asked) == 1, "only lost connections are tried again"


def test_a_url_where_nobody_listens_fails_quickly():
    started = time.monotonic()
    with pytest.raises(EngineUnreachable, match="check the URL"):
        VLLMEngine("tiny", url="http://127.0.0.1:9")
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("url", ["not a url", "ftp://127.0.0.1", "http://127.0.0.1:99999999"])
def test_a_malformed_url_is_said_to_be_one(url):
    with pytest.raises((SettingsError, EngineUnreachable), match=r"check the URL|must begin with"):
        VLLMEngine("tiny", url=url)


def test_a_page_that_is_no_model_server_is_recognised(tmp_path):
    class Page(Handler):
        def do_GET(self) -> None:
            self.reply(200, {"welcome": "home"})

    with Server(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        with pytest.raises(EngineUnreachable, match="OpenAI"):
            VLLMEngine("tiny", url=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def test_a_model_that_is_not_served_is_named_with_those_that_are(url):
    with pytest.raises(NothingFound, match=r"'large'.*\['tiny'\]"):
        VLLMEngine("large", url=url)


def test_a_slow_server_runs_into_the_limit(url, protocol):
    engine = VLLMEngine("tiny", url=url, timeout=0.2)
    protocol.delay = 1
    with pytest.raises(EngineUnreachable, match="within"):
        engine.chat([ask()])
    engine.close()


def test_either_a_url_or_a_server():
    with pytest.raises(SettingsError, match="either"):
        VLLMEngine("tiny")


def test_a_lost_connection_is_tried_again(url, protocol, monkeypatch):
    engine = VLLMEngine("tiny", url=url)
    lost: list[str] = []

    class Dropping(Handler):
        def do_POST(self) -> None:
            if not lost:
                lost.append(self.path)
                self.connection.close()  # as a server does that is going down
                self.close_connection = True
                return
            super().do_POST()

    Dropping.protocol = protocol
    with Server(("127.0.0.1", 0), Dropping) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        other = VLLMEngine("tiny", url=f"http://127.0.0.1:{server.server_port}")
        assert other.chat([ask("x")])[0].text == "tiny on x"
        assert lost == ["/v1/chat/completions"]
        other.close()
        server.shutdown()
    engine.close()


def test_a_lone_surrogate_is_no_traceback(engine, protocol):
    engine.chat([ask("a\ud800b")])
    assert protocol.asked[-1][1]["messages"][-1]["content"] == "a\ufffdb"
    assert engine.count_tokens("\ud800") == engine.count_tokens("\ufffd")
