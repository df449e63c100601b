from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from agent.events import Answer, ImageShown, Outcome, TextDelta, TurnFinished
from agent.models.base import Question
from agent.models.messages import Turn
from agent.models.repair import cut
from agent.models.scripted import ScriptedModel
from agent.models.server import ServerModel
from agent.session import Session, SessionOptions
from tests.agent.fakes import FakeEngines, write_batch
from tests.agent.models.protocol import Answer as Reply
from tests.agent.models.protocol import Handler, Server, chunk, serving
from tests.agent.playing import WORST, answers, photographs, played
from tests.agent.sessions import last
from tools.recipe.file import load_recipe

ANSWERED = '<code>\nfinal_answer("here")\n</code>'
PIECE = 7  # characters of an answer that come at once


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def spoken(text: str, **finish: Any) -> Reply:
    """An answer, streamed in pieces, as a server gives it: cut at the stop strings, counted."""

    def answer(handler: Handler, request: dict[str, Any]) -> None:
        said = cut(text, request.get("stop", ()))
        pieces = [chunk(said[at : at + PIECE]) for at in range(0, len(said), PIECE)]
        ended = chunk("", finish=finish.get("finish", "stop"))
        handler.stream(*pieces, ended, chunk(usage=(1_000, len(pieces))), "[DONE]")

    return answer


def breaks_off(handler: Handler, _: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Content-Length", "9999")
    handler.end_headers()
    handler.wfile.write(
        b'data: {"id":"1","object":"chat.completion.chunk","created":0,"model":"m","choices":'
        b'[{"index":0,"delta":{"content":"<code>"}}]}\n\n'
    )
    handler.close_connection = True


def fails(status: int, message: str) -> Reply:
    return lambda handler, _: handler.say(status, {"error": {"message": message}})


def follow(server: Server, script: ScriptedModel) -> None:
    """Lets the server give the written answers to what the user said last."""

    def answer(handler: Handler, request: dict[str, Any]) -> None:
        server.answers.append(answer)
        turns = tuple(
            Turn(message["role"], tuple(part.get("text", "") for part in _parts(message)))
            for message in request["messages"]
        )
        spoken(script._reply(Question(turns)).text)(handler, request)

    server.answers = [answer]


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def pictures(request: dict[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The pictures of a request by the label before each."""
    found = {}
    for message in request["messages"]:
        label = ""
        for part in _parts(message):
            if part["type"] == "text":
                label = part["text"].rpartition("\n")[2].rstrip(":")
            else:
                content = base64.b64decode(part["image_url"]["url"].partition(",")[2])
                found[label] = np.asarray(Image.open(io.BytesIO(content))).astype(int)
    return found


def test_the_playbook_over_http_with_its_pictures_streamed(server: Server, tmp_path: Path) -> None:
    sent = {}
    for name, changed in (("as it is", None), ("one pixel", (140, 98))):
        follow(server, ScriptedModel(answers()))
        server.requests.clear()
        photos = photographs(tmp_path / name.replace(" ", "-"), changed=changed)
        results, events = played(ServerModel(server.address), photos, tmp_path / f"out-{name}")
        assert {result.name: result.misses for result in results if not result.passed} == {}
        sent[name] = list(server.requests)
    assert all(request["stream"] for request in server.requests)
    streamed = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert streamed == "".join(cut(text, ["</code>"]) for written in answers().values() for text in written)
    assert [turn.usage.input_tokens for result in results for turn in result.turns] == [
        1_000,
        2_000,
        1_000,
        1_000,
        1_000,
    ]
    (shown,) = [event for event in events if isinstance(event, ImageShown)]
    looked = 2  # the request after the look
    before, after = (pictures(requests[looked]) for requests in sent.values())
    assert list(before) == list(after) == ["contact sheet", WORST]
    assert before[WORST].shape == (shown.height_px, shown.width_px, 3)
    difference = np.abs(before[WORST] - after[WORST]).max(axis=2)
    assert difference[98, 140] > 60
    far = np.ones_like(difference, bool)
    far[98 - 16 : 98 + 16, 140 - 16 : 140 + 16] = False  # JPEG works in blocks
    assert difference[far].max() == 0


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        pytest.param(fails(400, "bad picture"), "bad picture", id="refused"),
        pytest.param(fails(401, "who are you"), "who are you", id="no key"),
        pytest.param(spoken("<code>\nrows = scr", finish="length"), "cut off", id="truncated"),
        pytest.param(spoken(""), "empty", id="empty"),
        pytest.param(spoken("", finish="content_filter"), "refused", id="filtered"),
        pytest.param(breaks_off, "broke off", id="gone while it wrote"),
        pytest.param(None, "4 attempts", id="gone between two steps"),
    ],
)
def test_a_server_that_fails_in_the_middle_of_a_turn_leaves_the_user_with_the_pipeline_and_the_next_turn(
    server: Server, tmp_path: Path, failure: Reply | None, said: str
) -> None:
    write_batch(tmp_path / "parts", 2)
    engines = FakeEngines(load_recipe())
    pauses: list[float] = []
    model = ServerModel(server.address, sleep=pauses.append)
    first = spoken('<code>\ninspect()\nlook("img_001")\n</code>')
    server.answers = [first, failure] if failure else [first, *[fails(503, "no longer here")] * 4]
    with Session(
        [tmp_path / "parts"],
        model=model,
        out=tmp_path / "out",
        options=SessionOptions(self_test=False, fallback=True),
        engines=engines.as_engines,
    ) as session:
        events = list(session.ask("inspect them"))
        finished = last(events, TurnFinished)
        assert finished.outcome is Outcome.FAILED
        assert said in finished.error
        assert "The fixed pipeline ran instead: 2 images" in last(events, Answer).text
        assert any(path.endswith("report.pdf") for path in finished.artifacts)
        server.answers = [spoken(ANSWERED)]
        assert last(list(session.ask("are you back?")), Answer).text == "here"
        assert "inspect() -> 2 rows" in str(server.requests[-1]["messages"])
    assert pauses == ([] if failure else [1.0, 2.0, 4.0])


def test_a_server_that_is_gone_is_said_and_one_that_comes_back_is_used_again(tmp_path: Path) -> None:
    write_batch(tmp_path / "parts", 1)
    with serving() as first:
        first.answers = [spoken(ANSWERED)]
        model = ServerModel(first.address, sleep=lambda _: None)
        session = Session(
            [tmp_path / "parts"],
            model=model,
            out=tmp_path / "out",
            options=SessionOptions(self_test=False),
            engines=FakeEngines(load_recipe()).as_engines,
        )
        assert last(list(session.ask("are you there?")), Answer).text == "here"
    with session:
        events = list(session.ask("and now?"))
        assert last(events, TurnFinished).outcome is Outcome.FAILED
        assert "loupe inspect" in last(events, Answer).text
        with serving(first.server_address[1]) as second:
            second.answers = [spoken(ANSWERED)]
            assert last(list(session.ask("and now?")), Answer).text == "here"
