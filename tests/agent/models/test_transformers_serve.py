from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from agent.models.loading import load_model
from agent.models.pictures import Picture
from tests.agent.models.saying import picture, user

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.models.base import VisionModel

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")


@pytest.fixture(scope="module")
def served(qwen2_5: Path) -> Iterator[VisionModel]:
    import urllib.request

    from transformers.cli.serve import Serve

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Serve(
        str(qwen2_5), device="cpu", host="127.0.0.1", port=port, log_level="error", non_blocking=True
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health").close()
                break
            except OSError:
                server._thread.join(0.1)
        yield load_model(f"http://127.0.0.1:{port}/v1#{qwen2_5}", max_tokens=8)
    finally:
        server.kill_server()


def test_a_real_server_answers_and_sees(served: VisionModel) -> None:
    pieces: list[str] = []
    served.on_text = pieces.append
    shown = picture(1)
    inverted = Picture("other", shown.image.point(lambda value: 255 - value))

    def ask(seen: Picture) -> str:
        return str(served.generate([user("img_001:", seen, "What is it?")]).content)

    first = ask(shown)
    assert first == "".join(pieces)
    assert ask(shown) == first
    assert ask(inverted) != first


def test_tokens_are_counted_as_the_family_says(served: VisionModel) -> None:
    small, large = (served.generate([user(picture(1, *size))]).token_usage for size in ((84, 56), (280, 280)))
    assert large.input_tokens - small.input_tokens == 100 - 6


def test_stop_strings_hold(served: VisionModel) -> None:
    whole = str(served.generate([user("speak")]).content)
    stop = whole[3]
    assert served.generate([user("speak")], [stop]).content == whole[: whole.index(stop)]
