from __future__ import annotations

import base64
import io
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from agent.cancelling import TurnCancelled
from agent.models.families import QWEN2_5_VL
from agent.models.loading import load_model
from agent.models.server import ServerModel
from tests.agent.models.protocol import Answer, Handler, Server, chunk, serving
from tests.agent.models.saying import picture, user
from tools.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

STOPS = ["Observation:", "</code>"]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def connect(server: Server, *answers: Answer, **options: Any) -> tuple[ServerModel, list[float]]:
    pauses: list[float] = []
    server.answers = list(answers)
    return ServerModel(server.address, sleep=pauses.append, **options), pauses


def says(*chunks: dict[str, Any] | str) -> Answer:
    return lambda handler, _: handler.stream(*chunks)


def fails(status: int, message: str = "no", **headers: str) -> Answer:
    return lambda handler, _: handler.say(status, {"error": {"message": message}}, **headers)


FINE = says(chunk("fi"), chunk("ne", finish="stop"), chunk(usage=(7, 2)), "[DONE]")


def test_an_answer_is_streamed_counted_and_repaired(server: Server) -> None:
    model, _ = connect(
        server,
        says(
            chunk("I screen.\n", logprobs=[("I screen.", -9.0), ("\n", -9.0)]),
            chunk("```python\n", logprobs=[("```python\n", -9.0)]),
            chunk("screen()", logprobs=[("screen", -0.5), ("()", -0.1)]),
            chunk("\n```", finish="stop", logprobs=[("\n```", -9.0)]),
            chunk(usage=(40, 6)),
            "[DONE]",
        ),
    )
    pieces: list[str] = []
    model.on_text = pieces.append
    answer = model.generate([user("inspect")], STOPS)
    assert answer.content == "I screen.\n<code>\nscreen()\n</code>"
    assert pieces == ["I screen.\n", "```python\n", "screen()", "\n```"]
    assert (answer.token_usage.input_tokens, answer.token_usage.output_tokens) == (40, 6)
    assert answer.raw["mean_logprob"] == pytest.approx(-0.3)
    assert server.requests[0]["stop"] == STOPS
    assert server.requests[0]["temperature"] == 0


def test_name_context_and_family_come_from_the_server(server: Server) -> None:
    model = load_model(server.address)
    assert (model.name, model.context_tokens, model.family) == ("qwen2.5-vl", 4096, QWEN2_5_VL)
    assert load_model(f"{server.address}/#other").name == "other"
    server.models.append({"id": "second", "object": "model"})
    with pytest.raises(ModelError, match="offers 2 models") as caught:
        load_model(server.address)
    assert f"{server.address}#qwen2.5-vl" in caught.value.hint


def test_pictures_arrive_as_jpeg_in_their_place(server: Server) -> None:
    model, _ = connect(server, FINE)
    shown = picture(1)
    model.generate([user("img_001:", shown, "What is it?")])
    (message,) = server.requests[0]["messages"]
    before, sent, after = message["content"]
    assert (before["text"], after["text"]) == ("img_001:", "What is it?")
    content = base64.b64decode(sent["image_url"]["url"].removeprefix("data:image/jpeg;base64,"))
    assert content == shown.jpeg()
    assert Image.open(io.BytesIO(content)).size == shown.size_px


def test_the_key_is_loupes_own(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "for another server")
    model, _ = connect(server, FINE, FINE)
    model.generate([user("x")])
    monkeypatch.setenv("LOUPE_API_KEY", "secret")
    model.generate([user("x")])
    assert server.keys == ["Bearer none", "Bearer secret"]


def test_a_busy_server_is_asked_again(server: Server) -> None:
    model, pauses = connect(server, fails(429, Retry_After="7"), fails(503), fails(500), FINE)
    assert model.generate([user("x")]).content == "fine"
    assert pauses == [7.0, 2.0, 4.0]


def test_a_server_that_stays_busy_is_named(server: Server) -> None:
    model, pauses = connect(server, *[fails(503, "loading")] * 4)
    with pytest.raises(ModelError, match=r"4 attempts.*loading"):
        model.generate([user("x")])
    assert len(pauses) == 3


def test_what_a_server_does_not_know_is_left_out_from_then_on(server: Server) -> None:
    refusal = fails(422, "Unsupported fields in the request: {'logprobs', 'stream_options'}")
    model, pauses = connect(server, refusal, FINE, FINE)
    assert model.generate([user("x")]).content == "fine"
    assert model.generate([user("x")]).raw["mean_logprob"] is None
    assert [{"logprobs", "stream_options"} & request.keys() for request in server.requests] == [
        {"logprobs", "stream_options"},
        set(),
        set(),
    ]
    assert pauses == []


def test_max_tokens_under_its_newer_name(server: Server) -> None:
    model, _ = connect(server, fails(400, "Unsupported parameter: 'max_tokens' is not supported"), FINE)
    model.generate([user("x")], max_tokens=9)
    assert server.requests[1]["max_completion_tokens"] == 9


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(fails(400, "bad picture"), r"refused \(400\): .*bad picture", id="refused request"),
        pytest.param(fails(401, "who are you"), "refused.*who are you", id="no key"),
        pytest.param(fails(404, "no such model"), "refused.*no such model", id="unknown model"),
        pytest.param(says(chunk("half", finish="length")), "cut off after", id="truncated"),
        pytest.param(says(chunk("", finish="stop"), "[DONE]"), "was empty", id="empty"),
        pytest.param(says("[DONE]"), "was empty", id="nothing at all"),
        pytest.param(says(chunk("", finish="content_filter")), "refused to answer", id="filtered"),
        pytest.param(
            says(chunk(refusal="I cannot", finish="stop")), "refused to answer: I cannot", id="refusal"
        ),
        pytest.param(
            says(chunk("a"), '{"error": "out of memory"}'), "broke off.*out of memory", id="error inside"
        ),
        pytest.param(says("<html>"), "broke off", id="another protocol"),
    ],
)
def test_an_answer_that_cannot_be_used_is_named(server: Server, answer: Answer, message: str) -> None:
    model, _ = connect(server, answer)
    with pytest.raises(ModelError, match=message) as caught:
        model.generate([user("x")])
    assert caught.value.hint


def hangs_up_after(text: str | None) -> Answer:
    def answer(handler: Handler, _: dict[str, Any]) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Content-Length", "9999")
        handler.end_headers()
        if text is not None:
            handler.wfile.write(f"data: {json.dumps(chunk(text))}\n\n".encode())
        handler.close_connection = True

    return answer


def test_a_lost_connection_is_tried_again_unless_words_had_come(server: Server) -> None:
    model, pauses = connect(server, hangs_up_after(None), FINE, hangs_up_after("half"))
    assert model.generate([user("x")]).content == "fine"
    assert pauses == [1.0]
    with pytest.raises(ModelError, match="broke off"):
        model.generate([user("x")])


def test_a_silent_server_is_named(server: Server) -> None:
    hung = threading.Event()
    model, pauses = connect(server, holds_back(None, hung), timeout_s=1.0)
    with pytest.raises(ModelError, match="silent"):
        model.generate([user("x")])
    assert pauses == []


def test_cut_off_behind_a_stop_string_is_whole(server: Server) -> None:
    model, _ = connect(server, says(chunk("<code>\nscreen()\n</code>\nObs", finish="length")))
    assert model.generate([user("x")], STOPS).content == "<code>\nscreen()\n</code>"


def test_stop_strings_that_break_a_server_are_kept_here(server: Server) -> None:
    # what `transformers serve` does when it is given stop strings for a model with pictures
    failing = says(
        chunk(role="assistant"), "{\"error\": \"'Processor' object has no attribute 'get_vocab'\"}"
    )
    endless = says(*[chunk(letter) for letter in "<code>f()</code> and so on"], chunk(usage=(9, 99)))
    model, _ = connect(server, failing, endless)
    pieces: list[str] = []
    model.on_text = pieces.append
    assert model.generate([user("x")], STOPS).content == "<code>\nf()\n</code>"
    assert "".join(pieces) == "<code>f()</code>"
    assert [("stop" in request) for request in server.requests] == [True, False]


def test_too_long_a_prompt_is_sent_with_smaller_pictures(server: Server) -> None:
    overflow = fails(
        400, "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens"
    )
    model, _ = connect(server, overflow, FINE, overflow, overflow, overflow)
    large = picture(1, 280, 280)
    model.generate([user(large)])
    url = server.requests[1]["messages"][0]["content"][0]["image_url"]["url"]
    assert Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).size == (196, 196)
    with pytest.raises(ModelError, match="does not fit"):
        model.generate([user(large)])
    with pytest.raises(ModelError, match="does not fit"):
        model.generate([user("only words")])


def holds_back(first: dict[str, Any] | None, release: threading.Event) -> Answer:
    """Says nothing, or one chunk, until the client hangs up."""

    def answer(handler: Handler, _: dict[str, Any]) -> None:
        if first is not None:
            handler.stream(first)
        release.set()
        if handler.connection.recv(1) == b"":
            handler.server.gone.set()
        handler.close_connection = True

    return answer


@pytest.mark.parametrize("first", [None, chunk("a")])
def test_cancelling_hangs_up(server: Server, first: dict[str, Any] | None) -> None:
    cancel = threading.Event()
    model, _ = connect(server, holds_back(first, cancel), FINE)
    model.cancel = cancel
    with pytest.raises(TurnCancelled):
        model.generate([user("x")])
    assert server.gone.wait(5)
    cancel.clear()
    assert model.generate([user("x")]).content == "fine"


def test_cancelling_while_waiting_for_a_busy_server(server: Server) -> None:
    cancel = threading.Event()
    server.answers = [fails(503), FINE]
    model = ServerModel(server.address, sleep=lambda _: cancel.set())
    model.cancel = cancel
    with pytest.raises(TurnCancelled):
        model.generate([user("x")])
    assert len(server.requests) == 1


def test_a_server_that_does_not_take_the_temperature_is_not_called_greedy(server: Server) -> None:
    model, _ = connect(server, fails(400, "temperature is not supported"), FINE)
    assert model.provenance.parameters["decoding"] == "greedy"
    assert model.generate([user("x")]).content == "fine"
    assert model.provenance.parameters["decoding"] == "the server's own"
