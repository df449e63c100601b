from __future__ import annotations

import threading

import numpy as np
import pytest

from tools.checkpoints import Checkpoint, Runtime
from tools.errors import ModelError, RecipeError
from tools.glossary import UNKNOWN
from tools.recipe import DefectType, Label, Part, ScreeningSettings
from tools.records import ScreeningStatus
from tools.screening.prompts import prompt_labels, prompts_sha256
from tools.screening.screener import Screener, views_of, with_threshold


def with_settings(recipe, **settings):
    return recipe.model_copy(update={"screening": ScreeningSettings(**settings)})


def reference_probabilities(folder, recipe, image_rgb, size):
    """The same by transformers alone: its processor, its model, one prompt at a time."""
    import torch
    from transformers import AutoProcessor, CLIPModel

    model, processor = CLIPModel.from_pretrained(folder).eval(), AutoProcessor.from_pretrained(folder)
    texts = []
    with torch.inference_mode():
        for label in prompt_labels(recipe):
            each = [
                model.get_text_features(**processor(text=[prompt], return_tensors="pt")).pooler_output[0]
                for prompt in label.prompts
            ]
            mean = torch.stack([embedding / embedding.norm() for embedding in each]).mean(dim=0)
            texts.append(mean / mean.norm())
        pixels = processor(images=[image_rgb], return_tensors="pt", size=size)
        embedding = model.get_image_features(**pixels).pooler_output[0]
        cosines = torch.stack(texts) @ (embedding / embedding.norm())
        return (cosines * model.logit_scale.exp()).softmax(dim=0).numpy()


def test_scores_equal_plain_transformers(clip_checkpoint, recipe, picture):
    whole_only = with_settings(recipe, window_fractions=())
    record, image = picture(1, 32, 32)  # the model's input size: no resampling stands between the two
    (screening,) = Screener(clip_checkpoint, whole_only).screen([(record, image)])
    expected = reference_probabilities(clip_checkpoint.path, whole_only, image, {"height": 32, "width": 32})
    assert list(screening.scores) == ["normal", "scratch", "dent", "dust"]
    assert np.allclose(list(screening.scores.values()), expected, atol=1e-5)
    assert screening.suspicion == pytest.approx(expected[1] + expected[2], abs=1e-5)
    assert screening.heat_map is None


def test_shrinking_agrees_with_the_image_processor(clip_checkpoint, recipe, picture):
    whole_only = with_settings(recipe, window_fractions=())
    record, _ = picture(1, 160, 160)
    ramp = np.linspace(0, 255, 160).astype(np.uint8)
    image = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], 255 - ramp[:, None]), axis=-1)
    (screening,) = Screener(clip_checkpoint, whole_only).screen([(record, image)])
    expected = reference_probabilities(clip_checkpoint.path, whole_only, image, {"height": 32, "width": 32})
    assert np.allclose(list(screening.scores.values()), expected, atol=1e-4)


def test_order_and_scores_do_not_depend_on_the_batch(clip_checkpoint, recipe, picture):
    pictures = [picture(number, 60 + 7 * number, 50 + number) for number in range(1, 6)]
    many = list(Screener(clip_checkpoint, recipe, Runtime(batch_size=7)).screen(pictures))
    assert [screening.image_id for screening in many] == [record.id for record, _ in pictures]
    alone = [
        next(Screener(clip_checkpoint, recipe, Runtime(batch_size=64)).screen([pair])) for pair in pictures
    ]
    assert [s.suspicion for s in many] == pytest.approx([s.suspicion for s in alone], abs=1e-5)


@pytest.mark.parametrize("limit", [None, 1.0])
@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.9])
def test_another_threshold_gives_what_screening_at_it_would(
    clip_checkpoint, recipe, picture, threshold, limit
):
    def timeless(threshold):
        settings = with_settings(recipe, threshold=threshold, review_band=0.1, unknown_below=limit)
        (screening,) = Screener(clip_checkpoint, settings).screen([picture(5)])
        provenance = screening.provenance.model_copy(update={"elapsed_s": 0.0})
        return screening.model_copy(update={"provenance": provenance})

    assert with_threshold(timeless(0.5), threshold, recipe) == timeless(threshold)


def test_embeddings_are_of_length_one_and_like_pictures_are_alike(clip_checkpoint, recipe, picture):
    screener = Screener(clip_checkpoint, recipe)
    images = [picture(n)[1] for n in (1, 1, 2)]
    embeddings = screener.embed(images)
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1.0, atol=1e-5)
    alike, unlike = embeddings[0] @ embeddings[1], embeddings[0] @ embeddings[2]
    assert alike == pytest.approx(1.0, abs=1e-5)
    assert unlike < alike
    assert screener.embed([]).shape == (0, embeddings.shape[1])


@pytest.mark.parametrize("size", [(96, 64), (64, 96), (640, 480), (100, 100), (3000, 20), (5, 7)])
@pytest.mark.parametrize("crop", [1.0, 0.6])
def test_views_begin_with_the_whole_and_windows_cover_it(size, crop):
    settings = ScreeningSettings(window_fractions=(0.5, 0.25), centre_crop=crop)
    views = views_of(*size, settings)
    x0, y0, x1, y1 = views[0]
    assert (x1 - x0, y1 - y0) == (round(size[0] * crop), round(size[1] * crop))
    covered = np.zeros((size[1], size[0]), bool)
    for left, top, right, bottom in views[1:]:
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]
        covered[top:bottom, left:right] = True
    assert len(set(views)) == len(views)
    assert covered.sum() == (x1 - x0) * (y1 - y0) or len(views) == 1


def test_cancel_stops_before_the_next_batch(clip_checkpoint, recipe, picture):
    cancel, taken = threading.Event(), []

    def pictures():
        for number in range(1, 100):
            taken.append(number)
            yield picture(number)

    screener = Screener(clip_checkpoint, with_settings(recipe, window_fractions=()), Runtime(batch_size=4))
    seen = []
    for screening in screener.screen(pictures(), cancel=cancel):
        seen.append(screening)
        cancel.set()
    assert len(seen) == 4
    assert len(taken) <= 8


def test_text_embeddings_are_cached_by_content(clip_checkpoint, recipe, picture, own_cache, monkeypatch):
    first = next(Screener(clip_checkpoint, recipe).screen([picture()]))
    assert len(list((own_cache / "text").iterdir())) == 1

    def forbidden(*_):
        raise AssertionError("text was encoded again")

    with monkeypatch.context() as patch:
        patch.setattr("tools.screening.prompts._mean_embedding", forbidden)
        assert next(Screener(clip_checkpoint, recipe).screen([picture()])).scores == first.scores
        other = recipe.model_copy(update={"hard_negatives": {"glare": Label()}})
        with pytest.raises(AssertionError, match="encoded again"):
            Screener(clip_checkpoint, other)


@pytest.mark.parametrize(
    "content", [b"damaged", b"", b"\x93NUMPY", None], ids=["text", "empty", "cut", "other"]
)
def test_a_damaged_text_cache_is_made_anew(clip_checkpoint, recipe, picture, own_cache, content):
    first = next(Screener(clip_checkpoint, recipe).screen([picture()]))
    (cached,) = (own_cache / "text").iterdir()
    whole = cached.read_bytes()
    if content is None:
        np.save(cached, np.zeros((1, 3), np.float32))
    else:
        cached.write_bytes(content)
    assert next(Screener(clip_checkpoint, recipe).screen([picture()])).scores == first.scores
    assert cached.read_bytes() == whole


def test_status_follows_threshold_and_band(clip_checkpoint, recipe, picture):
    suspicion = next(Screener(clip_checkpoint, recipe).screen([picture()])).suspicion

    def status(threshold, band):
        changed = with_settings(recipe, threshold=threshold, review_band=band)
        return next(Screener(clip_checkpoint, changed).screen([picture()]))

    suspect = status(suspicion - 0.1, 0.05)
    assert (suspect.status, suspect.label in {"scratch", "dent"}) == (ScreeningStatus.SUSPECT, True)
    clear = status(suspicion + 0.1, 0.05)
    assert (clear.status, clear.label in {"normal", "dust"}) == (ScreeningStatus.CLEAR, True)
    assert status(suspicion + 0.01, 0.05).status is ScreeningStatus.UNSURE


@pytest.mark.parametrize(("limit", "unknown"), [(1.0, True), (-1.0, False), (None, False)])
def test_unknown_when_nothing_fits(clip_checkpoint, recipe, picture, limit, unknown):
    changed = with_settings(recipe, unknown_below=limit, review_band=0.0)
    screening = next(Screener(clip_checkpoint, changed).screen([picture()]))
    assert (screening.label == UNKNOWN) is unknown
    assert (screening.status is ScreeningStatus.UNSURE) is unknown


def test_heat_map_peaks_where_the_window_is_suspect(clip_checkpoint, recipe, picture, monkeypatch):
    screener = Screener(clip_checkpoint, with_settings(recipe, window_fractions=(0.5,), window_overlap=0.0))
    scores = np.full((9, 4), [[0.9, 0.05, 0.05, 0.0]], np.float32)
    scores[4] = [0.1, 0.8, 0.1, 0.0]  # the whole, then windows row by row: the 4th is top right
    monkeypatch.setattr(screener, "_probabilities", lambda _: scores)
    (screening,) = screener.screen([picture(1, 256, 128)])
    heat = np.reshape(screening.heat_map.values, (screening.heat_map.rows, screening.heat_map.columns))
    assert heat.shape == (16, 32)
    assert heat[:8, 24:] == pytest.approx(0.9)
    assert heat[8:] == pytest.approx(0.1)
    assert screening.label == "scratch"
    assert screening.suspicion == pytest.approx(0.9)


def test_clahe_and_crop_and_temperature_change_the_scores(clip_checkpoint, recipe, picture):
    def scores(**settings):
        return next(Screener(clip_checkpoint, with_settings(recipe, **settings)).screen([picture()])).scores

    plain = scores()
    for change in ({"clahe": True}, {"centre_crop": 0.5}, {"temperature": 3.0}):
        assert scores(**change) != plain


def test_provenance_names_the_weights_and_settings(clip_checkpoint, recipe, picture):
    provenance = next(
        Screener(clip_checkpoint, recipe, Runtime(precision="bfloat16")).screen([picture()])
    ).provenance
    assert (provenance.tool, provenance.model, provenance.precision) == ("screening", "tiny-clip", "bfloat16")
    assert len(provenance.weights_sha256) == 64
    assert provenance.parameters["labels"] == ["normal", "scratch", "dent", "dust"]
    assert provenance.parameters["prompts_sha256"] == prompts_sha256(prompt_labels(recipe))
    assert provenance.elapsed_s > 0


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"part": Part(name="other", noun="metal plate")}, True),
        ({"part": Part(name="plate", noun="brass plate")}, False),
        ({"normal_prompts": tuple(f"state {number}" for number in range(7))}, False),
        ({"defects": {"scratch": DefectType(prompts=("a scar", "a score")), "dent": DefectType()}}, False),
        ({"defects": {"scratch": DefectType()}, "hard_negatives": {"dent": Label(), "dust": Label()}}, False),
    ],
)
def test_other_prompts_have_another_hash(recipe, change, is_same):
    before, after = (
        prompts_sha256(prompt_labels(each)) for each in (recipe, recipe.model_copy(update=change))
    )
    assert len(before) == 64
    assert (before == after) is is_same


def test_damaged_weights_are_a_model_error(clip_checkpoint, recipe, tmp_path):
    import shutil

    shutil.copytree(clip_checkpoint.path, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="broken-clip"):
        Screener(Checkpoint("clip", "broken-clip", tmp_path), recipe)


def test_prompts_put_states_and_noun_into_templates(recipe):
    changed = with_settings(recipe, templates=("a macro photo of a {noun} with {state}",))
    labels = {label.name: label for label in prompt_labels(changed)}
    assert "a photo of the metal plate with a long thin scratch" in labels["scratch"].prompts
    assert "a macro photo of a metal plate with a scratch" in labels["scratch"].prompts
    assert "a macro photo of a flawless metal plate" in labels["normal"].prompts
    assert "a photo of a metal plate with dent" in labels["dent"].prompts
    assert [label.is_defect for label in labels.values()] == [False, True, True, False]


@pytest.mark.parametrize(
    "change",
    [
        {"screening": ScreeningSettings(templates=("a photo",))},
        {"hard_negatives": {"normal": Label()}},
    ],
)
def test_prompts_that_do_not_hold_are_recipe_errors(recipe, change):
    with pytest.raises(RecipeError):
        prompt_labels(recipe.model_copy(update=change))
