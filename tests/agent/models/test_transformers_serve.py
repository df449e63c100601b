from __future__ import annotations

import os
import socket
import string
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.events import CodeWritten, TextDelta
from agent.models.loading import load_model
from agent.models.pictures import Picture
from tests.agent.models.saying import picture, user
from tests.agent.models.tiny import teach
from tests.agent.playing import endings, photographs, played

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.models.base import VisionModel

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

LETTERS = list(string.ascii_letters)  # what random weights write comes to one of them soon
PATIENCE_S = 600  # a machine that does much else takes minutes to import torch


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VisionModel]:
    checkpoint = teach(tmp_path_factory.mktemp("taught") / "checkpoint", endings())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    host, port = address.split(":")
    command = [
        Path(sys.executable).with_name("transformers"),
        "serve",
        checkpoint,
        "--host",
        host,
        "--port",
        port,
    ]
    server = subprocess.Popen(
        [*command, "--device", "cpu"],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_healthy(f"http://{address}/health", server)
        yield load_model(f"http://{address}/v1#{checkpoint}", max_tokens=400)
    finally:
        server.terminate()
        server.wait()


def wait_until_healthy(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url).close()
        except OSError:
            with pytest.raises(subprocess.TimeoutExpired):
                server.wait(0.2)
        else:
            return
    pytest.fail("transformers serve did not start")


def test_a_real_server_streams_and_sees(served: VisionModel) -> None:
    pieces: list[str] = []
    served.on_text = pieces.append
    shown = picture(1)
    inverted = Picture("other", shown.image.point(lambda value: 255 - value))

    def ask(seen: Picture) -> str:
        answer = served.generate([user("img_001:", seen, "What is it?")], LETTERS)
        return str(answer.raw["text"])

    first = ask(shown)
    assert first == "".join(pieces)
    assert ask(shown) == first
    assert ask(inverted) != first


def test_stop_strings_hold_although_the_server_fails_on_them(served: VisionModel) -> None:
    answer = served.generate([user("speak")], LETTERS)
    written = str(answer.raw["text"])
    first = min(written.index(letter) for letter in LETTERS if letter in written)
    assert answer.content == written[:first]
    assert answer.token_usage.output_tokens < 400


def test_the_playbook_through_a_real_server_and_pictures_that_change_what_it_writes(
    served: VisionModel, tmp_path: Path
) -> None:
    remarks = {}
    for name, inverted in (("as they are", False), ("inverted", True)):
        photos = photographs(tmp_path / name.replace(" ", "-"), inverted=inverted)
        results, events = played(served, photos, tmp_path / f"out-{name}")
        assert {result.name: result.misses for result in results if not result.passed} == {}
        assert any(isinstance(event, TextDelta) for event in events)
        # The weights choose the letter in the first line of each program; the rest they were taught.
        remarks[name] = [event.code.split("\n")[0] for event in events if isinstance(event, CodeWritten)]
    assert len(remarks["inverted"]) == len(remarks["as they are"]) == len(endings())
    assert remarks["inverted"] != remarks["as they are"]
