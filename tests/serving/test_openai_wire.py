"""The HTTP client: credentials go to the server and nowhere else."""

import base64
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lifelong.core import EngineUnreachable, LifelongError, SettingsError
from lifelong.serving import ChatRequest, VLLMEngine, api_key
from lifelong.serving.openai_wire import ERROR_SHOWN

PASSWORD = "S3CRETPW"
KEY = "sk-this-is-the-api-key"


class Echo:
    """A server that answers every chat with an error holding all that it was sent, headers included."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.headers.append(self.headers.get("Authorization", ""))
                self.send(200, {"data": [{"id": "m"}]}) if self.path == "/v1/models" else self.send(404, {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.headers.append(self.headers.get("Authorization", ""))
                self.send(
                    outer.status, {"error": {"message": f"{self.headers}\x1b[2J http://admin:{PASSWORD}@inner/ {KEY} {body} {'x' * 5000}"}}
                )

            def send(self, status: int, body: object) -> None:
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def echo() -> Iterator[Echo]:
    opened = Echo()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


def ask(engine: VLLMEngine) -> None:
    engine.chat([ChatRequest(messages=[{"role": "user", "content": "hello"}])])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500, 503, 200])
def test_no_error_shows_a_credential(echo, status, caplog):
    caplog.set_level(logging.DEBUG)
    where = f"http://admin:{PASSWORD}@127.0.0.1:{echo.server.server_port}/v1"
    basic = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    for key, sent in (("", f"Basic {basic}"), (KEY, f"Bearer {KEY}")):
        engine = VLLMEngine("m", url=where, api_key=key)
        echo.status = status
        with pytest.raises(LifelongError) as caught:
            ask(engine)
        assert echo.headers[-1] == sent, "the server gets it"
        for text in (str(caught.value), repr(caught.value.__cause__), engine.url, caplog.text):
            for secret in (PASSWORD, basic, KEY):
                assert secret not in text
        assert "\x1b" not in str(caught.value)
        assert len(str(caught.value)) < ERROR_SHOWN + 300, "an upstream's words are cut short"
        engine.close()


@pytest.mark.parametrize(
    "url", [f"http://admin:{PASSWORD}@127.0.0.1:9", f"http://admin:{PASSWORD}@127.0.0.1:9999999", f"http://admin:{PASSWORD}@[::1"]
)
def test_no_connection_and_no_credential_in_the_error(url):
    with pytest.raises(LifelongError) as caught:
        VLLMEngine("m", url=url)
    assert PASSWORD not in f"{caught.value} {caught.value.__cause__!r}"


def test_a_refused_key_says_where_it_is_set(echo):
    engine = VLLMEngine("m", url=f"http://127.0.0.1:{echo.server.server_port}", api_key="wrong-key-here")
    echo.status = 401
    with pytest.raises(EngineUnreachable, match=r"model\.api_key_variable") as caught:
        ask(engine)
    assert "wrong-key" not in str(caught.value)
    engine.close()


def test_the_key_comes_from_the_variable_that_the_setting_names():
    assert api_key("", "model.api_key_variable", {"OPENAI_API_KEY": "k"}) == "", "nothing is sent unless a variable is named"
    assert api_key("MY_KEY", "model.api_key_variable", {"MY_KEY": " k \n"}) == "k"
    with pytest.raises(SettingsError, match=r"model\.api_key_variable names is not set"):
        api_key("MY_KEY", "model.api_key_variable", {})
