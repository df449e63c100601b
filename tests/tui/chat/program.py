"""`loupe chat` with engines that answer at once, as a program for the tests in a real terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import agent.desk
from tests.agent.fakes import FakeEngines
from tools.records import ScreeningStatus
from tui.chatting import run_chat


def main() -> None:
    out, *images = (Path(word) for word in sys.argv[1:])
    agent.desk.Engines = lambda recipe, _: FakeEngines(  # type: ignore[assignment,misc]
        recipe, {"img_002": ScreeningStatus.SUSPECT}, ["img_002"]
    )
    model = f"scripted:{out.parent / 'answers.yaml'}"
    if images:
        run_chat([str(image) for image in images], model=model, out=out, ledger=False, language="en")
    else:
        run_chat(model=model, resume=out, ledger=False, language="en")


if __name__ == "__main__":
    main()
