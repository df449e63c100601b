from __future__ import annotations

import json
import random

from agent.forge.sight import Gallery
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
