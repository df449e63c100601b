from __future__ import annotations

import threading

import numpy as np
import pytest

from tools.captioning.captioner import Captioner, region_of
from tools.checkpoints import Runtime
from tools.errors import ModelError
from tools.recipe import Captioning


@pytest.fixture
def captioner(blip_checkpoint, recipe):
    def make(batch_size=8, checkpoint=blip_checkpoint, **settings):
        changed = recipe.model_copy(update={"captioning": Captioning(**{"max_tokens": 8, **settings})})
        return Captioner(checkpoint, changed, Runtime(batch_size=batch_size))

    return make


@pytest.fixture(scope="session")
def regions():
    colours = ((0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255))
    return [np.full((40 + n, 50, 3), colour, dtype=np.uint8) for n, colour in enumerate(colours)]


def test_captions_equal_plain_transformers(captioner, blip_checkpoint, regions):
    import torch
    from transformers import AutoProcessor, BlipForConditionalGeneration

    model = BlipForConditionalGeneration.from_pretrained(blip_checkpoint.path).eval()
    processor = AutoProcessor.from_pretrained(blip_checkpoint.path)
    with torch.inference_mode():
        pixels = processor(images=[regions[0]], return_tensors="pt")
        tokens = model.generate(**pixels, num_beams=3, max_new_tokens=8)
    expected = processor.decode(tokens[0], skip_special_tokens=True)
    assert next(captioner(beams=3).caption(regions[:1])) == " ".join(expected.split()) != ""


@pytest.mark.parametrize("settings", [{}, {"temperature": 1.0}, {"prefix": "a photo of"}])
def test_a_region_always_gets_the_same_caption(captioner, regions, settings):
    alone = [next(captioner(**settings).caption([region])) for region in regions]
    together = captioner(batch_size=3, **settings)
    assert list(together.caption(regions)) == alone
    assert list(together.caption(reversed(regions))) == alone[::-1]
    assert len(set(alone)) > 1


def test_sampling_leaves_the_random_numbers_of_others_alone(captioner, regions):
    import torch

    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    list(captioner(temperature=1.0).caption(regions))
    assert torch.equal(torch.rand(3), expected)


def test_a_retry_says_something_else_and_the_same_each_time(captioner, regions):
    first = captioner()
    plain, again = list(first.caption(regions)), list(first.caption(regions, retry=True))
    assert plain != again
    assert list(captioner().caption(regions, retry=True)) == again


def test_the_prefix_begins_each_caption_and_tokens_are_limited(captioner, regions):
    for caption in captioner(prefix="a photo of", max_tokens=5, beams=1).caption(regions):
        assert caption.startswith("a photo of")
        assert len(caption.split()) <= 3 + 5


def test_cancel_stops_before_the_next_batch(captioner, regions):
    cancel, seen = threading.Event(), 0
    for _ in captioner(batch_size=2).caption(regions, cancel=cancel):
        cancel.set()
        seen += 1
    assert seen == 2


class AfterAsking(threading.Event):
    """Is set once it was asked so many times."""

    def __init__(self, times):
        super().__init__()
        self.left = times

    def is_set(self):
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("settings", [{"beams": 1}, {"beams": 3}, {"temperature": 1.0}])
@pytest.mark.parametrize("kind", ["blip", "blip2"])
def test_cancel_stops_within_a_token_and_yields_no_half_caption(captioner, request, regions, kind, settings):
    checkpoint = request.getfixturevalue(f"{kind}_checkpoint")
    cancel = AfterAsking(2)  # before the batch, and after the first token
    made = captioner(checkpoint=checkpoint, max_tokens=40, **settings)
    assert list(made.caption(regions, cancel=cancel)) == []
    assert cancel.left >= -2  # one more time in generating, and one after it


@pytest.mark.parametrize("settings", [{"beams": 3}, {"temperature": 1.0}])
def test_an_event_that_is_not_set_changes_no_caption(captioner, regions, settings):
    made = captioner(**settings)
    assert list(made.caption(regions, cancel=threading.Event())) == list(made.caption(regions))


def test_eight_bit_without_its_package_says_so(captioner, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModelError, match="bitsandbytes"):
        captioner(load_in_8bit=True)


def test_clip_is_no_captioner(captioner, clip_checkpoint):
    with pytest.raises(ModelError, match="is of type clip, not blip or blip-2"):
        captioner(checkpoint=clip_checkpoint)


def test_blip_2_captions_with_and_without_a_prefix(captioner, blip2_checkpoint, regions):
    free = list(captioner(checkpoint=blip2_checkpoint, batch_size=2).caption(regions))
    led = list(captioner(checkpoint=blip2_checkpoint, prefix="a photo of").caption(regions))
    assert all(caption and "<" not in caption for caption in free)
    assert all(caption.startswith("a photo of") for caption in led)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((300, 200, 400, 250), (270, 145, 430, 305)),  # 1.6 times 100, around the same centre
        ((300, 200, 310, 204), (257, 154, 353, 250)),  # at least 96
        ((0, 0, 10, 10), (0, 0, 96, 96)),  # moved inside
        ((590, 390, 600, 400), (504, 304, 600, 400)),
        ((0, 0, 600, 400), (0, 0, 600, 400)),  # larger than the picture
    ],
)
def test_region_of(box, expected):
    rows, columns = np.mgrid[:400, :600]
    image = np.stack([columns // 4, rows // 4, columns % 4 + 4 * (rows % 4)], axis=-1).astype(np.uint8)
    x_min, y_min, x_max, y_max = expected
    assert np.array_equal(region_of(image, box), image[y_min:y_max, x_min:x_max])
