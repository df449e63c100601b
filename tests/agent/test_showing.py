from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agent.events import Answer, ImageShown, TurnFinished
from agent.models.messages import pictures_of, text_of
from agent.models.scripted import ScriptedModel
from agent.session import Session, SessionOptions
from agent.showing import Showing, Shown
from tests.agent.fakes import FakeEngines, write_batch
from tools.errors import UsageError
from tools.images import Batch, contact_sheet
from tools.recipe.file import load_recipe

MANY = 300


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for number in range(MANY):
        shade = (number % 256, number // 256 * 90, 120)
        Image.new("RGB", (32, 24), shade).save(folder / f"part_{number:03d}.png")
    return folder


@pytest.fixture(scope="module")
def many(folder: Path) -> Batch:
    return Batch.open([folder])


@pytest.mark.parametrize(
    "words",
    [
        "sheet 2",
        "sheet2",
        "Sheet_2",
        "SHEET #2",
        "sheet no. 2",
        "contact sheet 2",
        "contact sheet 2 of 10",
        "contact_sheet_2",
        "page 2",
        "sheet 2/10",
        " sheet 2 ",
        "시트 2",
        "시트2",
        "시트 2번",
        "2번 시트",
        "2번째 시트",
        "콘택트 시트 2",
        "밀착 시트 2",
        "페이지 2",
        "2 페이지",
        "sheet\u3000\uff12",
    ],
)
def test_a_contact_sheet_has_many_names(many: Batch, words: str) -> None:
    showing = Showing(many)
    row = showing.ask_sheet(words, None)
    assert row is not None
    assert (row["id"], row["images"][0], row["images"][-1]) == ("contact sheet 2 of 10", "img_031", "img_060")
    assert showing.take() == [Shown("contact sheet 2 of 10", sheet=2)]


@pytest.mark.parametrize("words", ["img_002", "2", 2, None, "sheet", "sheet two", "worksheet 2", "시트", ""])
def test_what_names_no_sheet_is_none(many: Batch, words: object) -> None:
    assert Showing(many).ask_sheet(words, None) is None


@pytest.mark.parametrize(
    ("words", "region", "said"),
    [
        ("sheet 11", None, "there is no contact sheet 11"),
        ("sheet 0", None, "there is no contact sheet 0"),
        ("sheet 2", [0, 0, 10, 10], "no regions"),
    ],
)
def test_a_sheet_that_there_is_not_is_refused(
    many: Batch, words: str, region: list[int] | None, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        Showing(many).ask_sheet(words, region)


@pytest.mark.parametrize("looks", ["look('sheet 10')", "look('시트 10')"])
def test_each_of_three_hundred_images_can_be_seen_in_a_conversation(
    folder: Path, many: Batch, tmp_path: Path, looks: str
) -> None:
    model = ScriptedModel([f"<code>\n{looks}\n</code>", '<code>\nfinal_answer("img_300 is on it.")\n</code>'])
    with Session(
        [folder],
        model=model,
        out=tmp_path / "out",
        options=SessionOptions(self_test=False),
        engines=FakeEngines(load_recipe()).as_engines,
    ) as session:
        events = list(session.ask("where is the last one?"))
    (shown,) = [event for event in events if isinstance(event, ImageShown)]
    assert shown.image_id == "contact sheet 10 of 10"
    assert shown.tokens <= 1024
    first, second = model.sent
    assert 'contact sheets: 10; look("sheet 2") shows img_031 to img_060' in text_of(first, "user")
    assert [picture.label for picture in pictures_of(first)] == ["contact sheet 1 of 10"]
    (_, seen) = pictures_of(second)
    wanted = contact_sheet(many, [f"img_{number}" for number in range(271, 301)], columns=6)
    assert seen.size_px == model.fitted(Image.fromarray(wanted), 1024).size
    assert np.array_equal(np.asarray(seen.image), np.asarray(model.fitted(Image.fromarray(wanted), 1024)))
    assert [event.text for event in events if isinstance(event, Answer)] == ["img_300 is on it."]
    assert isinstance(events[-1], TurnFinished)


def test_a_small_batch_has_one_sheet_and_no_more_words_in_the_prompt(tmp_path: Path) -> None:
    showing = Showing(write_batch(tmp_path, 3))
    assert (showing.sheets, showing.hint(), showing.sheet(1).image_id) == (1, "", "contact sheet")


def test_an_image_that_bears_the_name_of_a_sheet_comes_first(tmp_path: Path) -> None:
    from agent.workbench import Workbench

    for name in ("sheet 1", "other"):
        Image.new("RGB", (32, 24)).save(tmp_path / f"{name}.png")
    batch = Batch.open([tmp_path])
    recipe = load_recipe()
    bench = Workbench(batch, recipe, out=tmp_path / "out", engines=FakeEngines(recipe).as_engines)
    assert bench.look("sheet 1")["id"] == "img_002"
    assert bench.look("contact sheet 1")["id"] == "contact sheet"
