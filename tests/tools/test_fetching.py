from __future__ import annotations

import pytest

from tools.checkpoints import Kind
from tools.errors import ModelError, UsageError
from tools.fetching import fetch_checkpoints, megabytes
from tools.recipe import Models, Recipe
from tools.recipe.file import load_recipe


def using(**models: str) -> Recipe:
    return load_recipe().model_copy(update={"models": Models(**models)})


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def snapshot_download(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("no route to host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)


def test_what_ships_inside_is_there_and_nothing_is_said() -> None:
    said: list[str] = []
    fetch_checkpoints(using(), ("clip", "blip", "detector"), said.append)
    assert said == []


@pytest.mark.usefixtures("unreachable")
def test_all_that_a_set_lacks_is_told_at_once_and_what_to_do_once() -> None:
    said: list[str] = []
    with pytest.raises(ModelError) as caught:
        fetch_checkpoints(using(set="standard"), ("clip", "detector", "blip"), said.append)
    for lacking in ("openai/clip-vit-base-patch32", "no detector", "Salesforce/blip-image-captioning-base"):
        assert lacking in caught.value.message
    hint = caught.value.hint
    assert hint.count("hf download") == 2
    assert hint.count("--models pocket") == hint.count("can be copied") == 1
    assert [line.split(" on ")[0] for line in said] == [
        "Looking for openai/clip-vit-base-patch32 (605 MB)",
        "Looking for Salesforce/blip-image-captioning-base (990 MB)",
    ]


@pytest.mark.usefixtures("unreachable")
def test_a_single_problem_stays_what_it_is() -> None:
    with pytest.raises(ModelError, match="`owner/their-clip` is not on this machine"):
        fetch_checkpoints(using(clip="owner/their-clip"), ("clip", "detector"), lambda _: None)


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize(
    ("section", "changes", "kinds", "lacking"),
    [
        ("references", {"backbone": "texture + owner/tower"}, ("clip",), ["`owner/tower` is not on this"]),
        ("references", {"backbone": "owner/a + clip + owner/b"}, ("clip",), ["`owner/a`", "`owner/b`"]),
        ("references", {"backbone": "owner/tower", "batch": False}, ("clip",), []),
        ("captioning", {"translator": "owner/opus"}, ("clip", "blip"), ["`owner/opus` is not on this"]),
        ("captioning", {"translator": "./opus"}, ("clip", "blip"), ["translator checkpoint `opus` does not"]),
        ("captioning", {"translator": "owner/opus"}, ("clip", "detector"), []),
    ],
)
def test_what_captions_and_good_parts_need_is_looked_for_too(
    section: str, changes: dict[str, object], kinds: tuple[Kind, ...], lacking: list[str]
) -> None:
    recipe = using()
    changed = getattr(recipe, section).model_copy(update=changes)
    recipe = recipe.model_copy(update={section: changed})
    if not lacking:
        fetch_checkpoints(recipe, kinds, lambda _: None)
        return
    with pytest.raises(ModelError) as caught:
        fetch_checkpoints(recipe, kinds, lambda _: None)
    assert all(each in caught.value.message for each in lacking)
    assert f"{section}." in caught.value.hint.splitlines()[-1]


@pytest.mark.parametrize(("size_mb", "written"), [(0, "none"), (605, "605 MB"), (7_500, "7.5 GB")])
def test_sizes_are_written_as_people_read_them(size_mb: int, written: str) -> None:
    assert megabytes(size_mb) == written


@pytest.mark.usefixtures("unreachable")
def test_what_lacks_twice_is_told_once() -> None:
    recipe = using(clip="owner/tower")
    backbone = recipe.references.model_copy(update={"backbone": "owner/tower"})
    with pytest.raises(ModelError) as caught:
        fetch_checkpoints(recipe.model_copy(update={"references": backbone}), ("clip",), lambda _: None)
    assert caught.value.message.count("owner/tower") == 1


def test_a_set_that_does_not_exist_is_told_once() -> None:
    with pytest.raises(UsageError) as caught:
        fetch_checkpoints(using(set="foo"), ("clip", "detector", "blip"), lambda _: None)
    assert caught.value.message == "There is no model set `foo`."
