from __future__ import annotations

import json
import random

import numpy as np

from agent.forge.sight import CELL_PX, COVERS, Gallery
from agent.models.pictures import Picture
from tools.forge.training_set import Photo


def test_questions_about_pictures_have_true_answers(photos: list[Photo]) -> None:
    gallery = Gallery(photos, random.Random(3))
    colours = 0
    for _ in range(40):
        user, assistant = gallery.task()
        [answer] = assistant.parts
        picture = user.parts[0]
        assert isinstance(picture, Picture)
        red, green, blue = picture.image.resize((1, 1)).getpixel((0, 0))
        if answer in ("red", "green", "blue"):
            colours += 1
            assert {"red": red, "green": green, "blue": blue}[answer] == max(red, green, blue)
        if answer.startswith('{"bbox_2d": '):
            box = tuple(json.loads(answer)["bbox_2d"])
            dark = picture.image.convert("L").point(lambda value: 255 * (value < 60))
            assert box == dark.getbbox()
    assert colours


def test_some_pictures_are_of_no_part_so_that_these_do_not_mislead_a_model(photos: list[Photo]) -> None:
    gallery = Gallery(photos, random.Random(2))
    shown = [np.asarray(gallery.picture("img_001").image) for _ in range(60)]
    plain = sum(len(np.unique(each.reshape(-1, 3), axis=0)) == 1 for each in shown)
    assert 2 <= plain <= 20


def test_each_cell_of_a_picture_is_told_what_covers_it(photos: list[Photo]) -> None:
    gallery = Gallery(photos, random.Random(1))
    seen = [gallery.seen() for _ in range(60)]
    for each in seen:
        width, height = each.picture.size_px
        assert each.covers.shape == (height // CELL_PX, width // CELL_PX)
        if each.picture.label == "canvas":
            grey = np.asarray(each.picture.image.convert("L"))
            middles = grey[CELL_PX // 2 :: CELL_PX, CELL_PX // 2 :: CELL_PX]
            assert ((middles < 60) == (each.covers == COVERS.index("rectangle"))).all()
    assert {each.picture.label for each in seen} == {"canvas", "region"}
    covered = {COVERS[number] for each in seen for number in np.unique(each.covers)}
    shown = {mark.type for photo in photos for mark in photo.defects}
    assert covered == {"nothing", "rectangle", *shown}
